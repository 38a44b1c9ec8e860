import {PipelineError} from '../../errors.ts';
import {parseDeadLetterMessage, replayedHeader, type StoredDeadLetter} from './dead-letter-message.ts';
import type {FetchedMessage, KafkaClient, OutgoingMessage} from './kafka-client.ts';
import {endHeader} from './partition-source.ts';

/** A dead letter, and where it lies. */
export type ListedDeadLetter = StoredDeadLetter & {
  /** Where it lies in the topic of dead letters. */
  readonly partition: number;
  readonly offset: bigint;
  readonly replayed: boolean;
};

export type ReplayOptions = {
  /** Topic to write to: that from which the letters came. */
  readonly input: string;
  /** The workers' name; replays of one application shut one another out. */
  readonly application: string;
  /** Documents whose letters to replay. @default all */
  readonly keys?: ReadonlySet<string> | undefined;
  /** Called with the number of letters replayed so far. */
  readonly onProgress?: (replayed: number) => void;
};

const fetchBytes = 1024 * 1024;
const fetchWaitMs = 500;

/** Letters that are replayed in one transaction. */
const batchBytes = 768 * 1024;
const batchLetters = 500;

const transactionTimeoutMs = 60_000;

/** The topic that workers put into what they cannot decode. */
export class DeadLetterTopic {
  readonly #client: KafkaClient;
  readonly #topic: string;

  constructor(client: KafkaClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  /**
   * All letters that are there now, partition after partition, and whether each was replayed.
   *
   * @throws {PipelineError} If there is no such topic.
   */
  async *list(): AsyncGenerator<ListedDeadLetter, void> {
    const partitions = await this.#client.partitionCount(this.#topic);
    if (partitions === undefined) {
      throw new PipelineError(
        `Cannot read dead letters as topic "${this.#topic}" must exist: there is none of this name`,
      );
    }
    for (let partition = 0; partition < partitions; partition++) {
      await using reader = await this.#client.openReader(this.#topic, partition);
      const range = await reader.range();
      const messages = async function* (): AsyncGenerator<FetchedMessage, void> {
        for (let offset = range.startOffset; offset < range.endOffset; ) {
          const fetched = await reader.fetch(offset, {maxBytes: fetchBytes, maxWaitMs: fetchWaitMs});
          for (const message of fetched.messages) if (message.offset < range.endOffset) yield message;
          offset = fetched.nextOffset;
        }
      };
      // Whether a letter was replayed is said behind it.
      const replayed = new Set<string>();
      for await (const {headers} of messages()) {
        const offset = headers[replayedHeader];
        if (offset !== undefined) replayed.add(Buffer.from(offset).toString());
      }
      for await (const message of messages()) {
        const letter = parseDeadLetterMessage(message);
        const {offset} = message;
        if (letter !== undefined) yield {...letter, partition, offset, replayed: replayed.has(offset.toString())};
      }
    }
  }

  /**
   * Writes letters that were not replayed into the partition that they came from, behind all that is there, each once: the same
   * transaction says here that it was done.
   *
   * @returns How many.
   * @throws {PipelineError} If a letter came from another topic; those before it have been replayed.
   */
  async replay({input, application, keys, onProgress}: ReplayOptions): Promise<number> {
    const id = `${application}.${input}.dead-letters`;
    // Before anything is read, so that what another replay has done is known.
    await using producer = await this.#client.openProducer(id, {
      topics: [input, this.#topic],
      transactionTimeoutMs,
    });
    const partitions = await this.#client.partitionCount(input);
    let count = 0;
    let bytes = 0;
    let letters: ListedDeadLetter[] = [];
    const write = async () => {
      const sources = grouped(letters, ({source}) => sourcePartition(source, input, partitions));
      for (const [partition, list] of sources) await producer.send(input, partition, list.map(replayMessage));
      for (const [partition, list] of grouped(letters, letter => letter.partition)) {
        await producer.send(this.#topic, partition, list.map(replayedMark));
      }
      await producer.commit();
      count += letters.length;
      onProgress?.(count);
      letters = [];
      bytes = 0;
    };
    for await (const letter of this.list()) {
      if (letter.replayed || keys?.has(letter.key) === false) continue;
      if (letters.length === batchLetters || (letters.length > 0 && bytes + letter.content.length > batchBytes)) {
        await write();
      }
      sourcePartition(letter.source, input, partitions);
      letters.push(letter);
      bytes += letter.content.length;
    }
    if (letters.length > 0) await write();
    return count;
  }
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Number of the partition of the input that a letter came from. */
function sourcePartition(source: string, input: string, partitions: number | undefined): number {
  const [, topic, number] = /^(.*)\/(\d+)@\d+$/.exec(source) ?? [];
  if (topic !== input || !(Number(number) < (partitions ?? 0))) {
    throw new PipelineError(
      `Cannot replay the dead letter of ${source} as it must have come from topic "${input}", which has ${partitions ?? 0} partitions: replay it with the configuration that it came from`,
    );
  }
  return Number(number);
}

function replayMessage({key, content, timestamp, source, last}: ListedDeadLetter): OutgoingMessage {
  const headers = {'palimpsest-replay-of': source, ...(last && {[endHeader]: '1'})};
  return {key, value: content, timestamp, headers};
}

function replayedMark({key, offset}: ListedDeadLetter): OutgoingMessage {
  return {key, value: new Uint8Array(0), headers: {[replayedHeader]: offset.toString()}};
}
