import type {ReadableStream} from 'node:stream/web';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Source, SourceOptions} from '../../pipeline/source.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {pullStream} from '../pull-stream.ts';
import type {Fetched, FetchedMessage, PartitionReader} from './kafka-client.ts';

export type PartitionSourceOptions = {
  readonly reader: PartitionReader;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: bigint;
  /** Longest time between two barriers while there are records, in milliseconds. */
  readonly checkpointMs: number;
  /** What may be read at once, asked each time; twice as much is held. */
  readonly fetchBytes: () => number;
  readonly checkpoints: CheckpointSchedule;
};

/** A record with this header is the last of its document. */
export const endHeader = 'palimpsest-end';

const fetchWaitMs = 200;
const nothing = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', {fatal: true});

/**
 * Reads one partition from an offset on and never ends by itself. A message is a chunk of the document that its key names; one
 * with the header `palimpsest-end` ends the document, and a tombstone ends and forgets it. A message without a key that is
 * text has an empty key.
 */
export class PartitionSource implements Source<DocumentChunk> {
  readonly #options: PartitionSourceOptions;
  /** Event time of the last record that each barrier covers. */
  readonly #timestamps = new WeakMap<Checkpoint, number>();
  #finishing = false;
  /** Behind the last record that can be read, as far as it is known. */
  endOffset: bigint;

  constructor(options: PartitionSourceOptions) {
    this.#options = options;
    this.endOffset = options.nextOffset;
  }

  /** Event time of the last record before a barrier of this source; `undefined` if none was read. */
  timestampOf(checkpoint: Checkpoint): number | undefined {
    return this.#timestamps.get(checkpoint);
  }

  /** Ends the stream behind what was given out, with a barrier. */
  finish(): void {
    this.#finishing = true;
  }

  /** May be called once. Barriers stand where the schedule or the time says; `progress` is not needed, as the offset is known. */
  open({signal}: SourceOptions = {}): ReadableStream<Element<StreamRecord<DocumentChunk>>> {
    return pullStream(scope => this.#elements(scope), {signal});
  }

  async *#elements(signal: AbortSignal): AsyncGenerator<Element<StreamRecord<DocumentChunk>>, void> {
    const {reader, topic, partition, checkpointMs, fetchBytes, checkpoints} = this.#options;
    const name = `${topic}/${partition}`;
    let {nextOffset} = this.#options;
    let timestamp: number | undefined;
    let committed = nextOffset;
    let last = performance.now();
    const dirty = () => nextOffset > committed || checkpoints.pending;
    const due = () => checkpoints.due || performance.now() - last >= checkpointMs;
    const barrier = () => {
      checkpoints.reset();
      last = performance.now();
      committed = nextOffset;
      const checkpoint = new Checkpoint(new Map([[name, {nextOffset, ended: false}]]));
      if (timestamp !== undefined) this.#timestamps.set(checkpoint, timestamp);
      return checkpoint;
    };
    const fetch = (from: bigint): Promise<Fetched> => {
      const remaining = dirty() ? checkpointMs - (performance.now() - last) : fetchWaitMs;
      const maxWaitMs = Math.ceil(Math.min(fetchWaitMs, Math.max(1, remaining)));
      const fetching = reader.fetch(from, {maxBytes: fetchBytes(), maxWaitMs, signal});
      // Awaited when the records before it have been taken.
      fetching.catch(() => {});
      return fetching;
    };

    let fetching = fetch(nextOffset);
    while (!this.#finishing) {
      const fetched = await fetching;
      this.endOffset = fetched.endOffset;
      // Time that passed while there was nothing to commit is not time that something waited.
      if (!dirty()) last = performance.now();
      // Reading ahead while there is more; what nobody has written yet is waited for below.
      const ahead = fetched.nextOffset < fetched.endOffset ? fetch(fetched.nextOffset) : undefined;
      for (const message of fetched.messages) {
        if (this.#finishing) break;
        nextOffset = message.offset + 1n;
        timestamp = message.timestamp;
        checkpoints.count(recordBytes(message));
        yield streamRecord(message, name);
        if (due()) yield barrier();
      }
      if (this.#finishing) break;
      nextOffset = fetched.nextOffset;
      if (dirty() && due()) yield barrier();
      fetching = ahead ?? fetch(nextOffset);
    }
    if (dirty()) yield barrier();
  }

  /** Nothing to do: the reader belongs to whoever opened it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

function recordBytes({key, value}: FetchedMessage): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

function streamRecord(
  {offset, key, value, headers, timestamp}: FetchedMessage,
  partition: string,
): StreamRecord<DocumentChunk> {
  const chunk: DocumentChunk =
    value === undefined ? {content: nothing, last: true, forget: true} : {content: value, last: endHeader in headers};
  return {key: textOf(key), value: chunk, position: {partition, offset}, timestamp};
}

/** Two keys that are not text must not become one document, so they become none: a decoder refuses the empty key. */
function textOf(key: Uint8Array | undefined): string {
  try {
    return utf8.decode(key);
  } catch {
    return '';
  }
}
