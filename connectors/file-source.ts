import type {Readable} from 'node:stream';
import type {ReadableStream} from 'node:stream/web';
import {Checkpoint} from '../pipeline/checkpoint.ts';
import {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import type {Element} from '../pipeline/element.ts';
import type {Line} from '../pipeline/line.ts';
import type {PartitionProgress} from '../pipeline/progress.ts';
import type {Source, SourceOptions} from '../pipeline/source.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {filePartition} from './file-partition.ts';
import {nextChunk} from './next-chunk.ts';
import {nextLine} from './next-line.ts';
import {nextWholeLines} from './next-whole-lines.ts';
import {type Input, OpenInput, type Split} from './open-input.ts';
import {pullStream} from './pull-stream.ts';

export type FileSourceOptions = {
  /** Paths, each of which is the key of its records; `-` is standard input. A file named twice is read once. */
  readonly inputs: readonly string[];
  /**
   * What becomes a record.
   *
   * - `chunks`: as many bytes as `chunkBytes` says. An empty file gives one empty chunk, at offset -1.
   * - `whole-lines`: as many whole lines as fit into `chunkBytes`, or one that is longer.
   * - `lines`: every line that is not empty, without its line feed or carriage return and line feed.
   *
   * @default 'chunks'
   */
  readonly split?: 'chunks' | 'whole-lines' | 'lines';
  /**
   * How many inputs are read in turns, one record each.
   *
   * @default 1
   */
  readonly concurrency?: number;
  /** @default 65536 */
  readonly chunkBytes?: number;
  /**
   * Of a longer line only the beginning, of 64 KiB at most, is given out, marked as `cut`.
   *
   * @default 67108864
   */
  readonly maxLineBytes?: number;
  /**
   * Whether an input that an interrupted run had not finished is given out from its start, for operators that need to
   * see what is covered; barriers then stand where they would stand otherwise.
   *
   * @default false
   */
  readonly rereadFromStart?: boolean;
  /**
   * Whether to read inputs that do not look like text.
   *
   * @default false
   */
  readonly allowBinary?: boolean;
  readonly stdin?: {
    /** Key of its records. @default '-' */
    readonly key?: string;
    /** @default process.stdin */
    readonly stream?: Readable;
  };
};

/**
 * Reads files and standard input, plain or gzip, whatever their names. Offsets count uncompressed bytes, and a byte order
 * mark is dropped. The timestamp of a record is when its file was last modified, and of standard input when reading began.
 *
 * Up to `concurrency` inputs are read in rounds, in the order given; one that is finished makes room for the next one, and
 * barriers stand between rounds. What is given out, in which order, depends on contents, progress and schedule alone: a
 * run that goes on at any barrier gives out what the interrupted one would have given out behind it.
 *
 * An input that was finished is passed over when it has not grown, and otherwise read on from where it ended. Standard
 * input cannot be repeated: to go on, pipe the same input again, and what was covered is passed over. To tell how far it
 * is, a gzip file is decompressed from its start.
 */
export class FileSource implements Source<Line> {
  readonly #inputs: readonly string[];
  readonly #concurrency: number;
  readonly #split: Split;
  readonly #opening: {readonly rereadFromStart: boolean; readonly allowBinary: boolean};
  readonly #stdin: NonNullable<FileSourceOptions['stdin']>;

  /**
   * @throws {TypeError} If there are no inputs, or `split` is unknown.
   * @throws {RangeError} If a number is not a positive integer.
   */
  constructor({
    inputs,
    split = 'chunks',
    concurrency = 1,
    chunkBytes = 64 * 1024,
    maxLineBytes = 64 * 1024 * 1024,
    rereadFromStart = false,
    allowBinary = false,
    stdin = {},
  }: FileSourceOptions) {
    for (const [name, value] of Object.entries({concurrency, chunkBytes, maxLineBytes})) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`Cannot read files as ${name} must be a positive integer: current value is ${value}`);
      }
    }
    if (inputs.length === 0) throw new TypeError('Cannot read files as inputs must name at least one: it is empty');
    if (!['chunks', 'whole-lines', 'lines'].includes(split)) {
      throw new TypeError(
        `Cannot read files as split must be "chunks", "whole-lines" or "lines": current value is "${split}"`,
      );
    }
    this.#inputs = [...inputs];
    this.#concurrency = concurrency;
    const splits: Record<typeof split, Split> = {
      chunks: (buffer, {boundary}) => nextChunk(buffer, {chunkBytes, boundary}),
      'whole-lines': (buffer, {boundary}) => nextWholeLines(buffer, {chunkBytes, maxLineBytes, boundary}),
      lines: (buffer, {boundary}) => nextLine(buffer, {maxLineBytes, boundary}),
    };
    this.#split = splits[split];
    this.#opening = {rereadFromStart, allowBinary};
    this.#stdin = stdin;
  }

  /** The stream errors with a {@link SourceError} that names the input, and where in it, if one cannot be read. */
  open({signal, ...options}: SourceOptions = {}): ReadableStream<Element<StreamRecord<Line>>> {
    return pullStream(scope => this.#elements(scope, options), {signal});
  }

  async *#elements(
    signal: AbortSignal,
    {progress, checkpoints = new CheckpointSchedule()}: Omit<SourceOptions, 'signal'>,
  ): AsyncGenerator<Element<StreamRecord<Line>>, void> {
    const waiting = (await this.#named()).reverse();
    let reading: OpenInput[] = [];
    let moved = new Map<string, PartitionProgress>();
    try {
      for (;;) {
        while (reading.length < this.#concurrency && waiting.length > 0) {
          const input = waiting.pop()!;
          const opened = await OpenInput.open(input, {
            ...this.#opening,
            split: this.#split,
            signal,
            progress: progress?.partitions.get(input.partition),
          });
          if (opened === undefined) continue;
          reading.push(opened);
          while (opened.covered) {
            const record = await opened.next();
            if (record !== undefined) yield record;
          }
        }
        if (reading.length === 0) break;
        for (const input of reading) {
          const before = input.offset;
          const record = await input.next();
          moved.set(input.partition, input.progress);
          checkpoints.count(input.offset - before);
          if (record !== undefined) yield record;
          if (input.ended) await input.close();
        }
        reading = reading.filter(input => !input.ended);
        if (checkpoints.due && reading.length + waiting.length > 0) {
          checkpoints.reset();
          yield new Checkpoint(moved);
          moved = new Map();
        }
      }
      checkpoints.reset();
      yield new Checkpoint(moved);
    } finally {
      await Promise.all(reading.map(input => input.close()));
    }
  }

  async #named(): Promise<Input[]> {
    const inputs = new Map<string, Input>();
    for (const path of this.#inputs) {
      const partition = path === '-' ? 'stdin' : await filePartition(path);
      if (inputs.has(partition)) continue;
      const {key, from} = path === '-' ? this.#standardInput() : {key: path, from: path};
      inputs.set(partition, {key, partition, from});
    }
    return [...inputs.values()];
  }

  #standardInput(): Pick<Input, 'key' | 'from'> {
    const {key = '-', stream = process.stdin} = this.#stdin;
    return {key, from: stream};
  }

  /** Nothing to do: what a stream holds is released with it. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
