import type {OutgoingMessage, TransactionalProducer} from './kafka-client.ts';

/** Messages that are written together stay below the brokers' usual limit of 1 MiB. */
const batchBytes = 768 * 1024;

/** What waits before it is written although the transaction is not due to be committed. */
const bufferBytes = 4 * 1024 * 1024;

/** What a record takes beside key, value and headers, at most. */
const recordBytes = 70;

type Waiting = {readonly topic: string; readonly partition: number; readonly messages: OutgoingMessage[]};

/** Gathers messages for a transaction and writes them one partition after the other. */
export class PartitionWriter {
  readonly #producer: TransactionalProducer;
  readonly #waiting = new Map<string, Waiting>();
  /** Offset of the last message of each partition. */
  readonly #written = new Map<string, bigint>();
  #bytes = 0;
  /** Calls to the producer are made one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(producer: TransactionalProducer) {
    this.#producer = producer;
  }

  /** Adds a message; resolves at once unless too much waits already. */
  async write(topic: string, partition: number, message: OutgoingMessage): Promise<void> {
    const name = `${partition}/${topic}`;
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) this.#waiting.set(name, {topic, partition, messages: [message]});
    else waiting.messages.push(message);
    this.#bytes += sizeOf(message);
    if (this.#bytes > bufferBytes) await this.flush();
  }

  /** Writes what waits into the open transaction, or a new one. */
  async flush(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#bytes = 0;
    await this.#run(async () => {
      for (const [name, {topic, partition, messages}] of waiting) {
        for (const batch of batches(messages)) {
          const first = await this.#producer.send(topic, partition, batch);
          this.#written.set(name, first + BigInt(batch.length - 1));
        }
      }
    });
  }

  /** Writes what waits, and a message behind it; gives that message's offset. */
  async append(topic: string, partition: number, message: OutgoingMessage): Promise<bigint> {
    await this.write(topic, partition, message);
    await this.flush();
    return this.#written.get(`${partition}/${topic}`)!;
  }

  /** Writes what waits, and ends the transaction. */
  async commit(offsets?: {group: string; topic: string; partition: number; nextOffset: bigint}): Promise<void> {
    await this.flush();
    await this.#run(async () => {
      if (offsets !== undefined) {
        await this.#producer.sendOffset(offsets.group, offsets.topic, offsets.partition, offsets.nextOffset);
      }
      await this.#producer.commit();
    });
  }

  #run<T>(call: () => Promise<T>): Promise<T> {
    const done = this.#last.then(call);
    // After a failure the producer cannot be used, and whoever calls next is told the same.
    this.#last = done;
    this.#last.catch(() => {});
    return done;
  }
}

function* batches(messages: readonly OutgoingMessage[]): Generator<readonly OutgoingMessage[]> {
  let batch: OutgoingMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (batch.length > 0 && bytes + size > batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf({key, value, headers = {}}: OutgoingMessage): number {
  let bytes = recordBytes + key.length + (value?.length ?? 0);
  for (const [name, text] of Object.entries(headers)) bytes += name.length + text.length + 4;
  return bytes;
}
