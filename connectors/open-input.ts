import type {Readable} from 'node:stream';
import {SourceError} from '../errors.ts';
import type {Line} from '../pipeline/line.ts';
import type {PartitionProgress} from '../pipeline/progress.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {beginContent} from './begin-content.ts';
import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';
import {type Content, openContent} from './open-content.ts';
import {precedingDigest} from './preceding-digest.ts';
import {sourceFailure} from './source-failure.ts';

export type Input = {
  readonly key: string;
  readonly partition: string;
  /** Path, or stream. */
  readonly from: string | Readable;
};

/** Takes the next record out, `undefined` at the end; no record reaches across `boundary`. */
export type Split = (buffer: InputBuffer, options: {readonly boundary: number}) => Promise<InputRecord | undefined>;

export type OpenInputOptions = {
  readonly split: Split;
  readonly signal: AbortSignal;
  readonly progress: PartitionProgress | undefined;
  readonly rereadFromStart: boolean;
  readonly allowBinary: boolean;
};

/** One input while it is read. */
export class OpenInput {
  readonly partition: string;
  readonly #input: Input;
  readonly #content: Content;
  readonly #split: Split;
  readonly #boundary: number;
  readonly #covered: PartitionProgress | undefined;
  #ended = false;

  private constructor(
    input: Input,
    {content, split, covered}: {content: Content; split: Split; covered: PartitionProgress | undefined},
  ) {
    this.partition = input.partition;
    this.#input = input;
    this.#content = content;
    this.#split = split;
    this.#boundary = boundaryOf(covered);
    this.#covered = covered;
  }

  /**
   * Opens an input where `progress` says.
   *
   * @returns `undefined` if it ended there and has not grown.
   */
  static async open(input: Input, options: OpenInputOptions): Promise<OpenInput | undefined> {
    const {split, signal, progress, rereadFromStart, allowBinary} = options;
    let content: Content | undefined;
    try {
      content = await openContent(input.from, {signal});
      if (progress !== undefined && (!rereadFromStart || (progress.ended && content.repeatable))) {
        const more = await passCovered(content, {input, progress});
        if (progress.ended && !(await more())) {
          await content.buffer.close();
          return undefined;
        }
        if (rereadFromStart) {
          await content.buffer.close();
          content = await openContent(input.from, {signal});
        }
      }
      if (content.buffer.offset === 0) await beginContent(content.buffer, {name: input.key, allowBinary});
      return new OpenInput(input, {content, split, covered: progress});
    } catch (error) {
      await content?.buffer.close();
      throw sourceFailure(error, {name: input.key, ...(content && {offset: readBytes(content.buffer)})});
    }
  }

  /** Whether the next record was covered before an interruption. */
  get covered(): boolean {
    return this.#content.buffer.offset < this.#boundary;
  }

  /** Bytes that were read. */
  get offset(): number {
    return this.#content.buffer.offset;
  }

  /** Whether the last record was given out. */
  get ended(): boolean {
    return this.#ended;
  }

  get progress(): PartitionProgress {
    const {buffer} = this.#content;
    return {nextOffset: BigInt(buffer.offset), ended: this.#ended, precedingDigest: precedingDigest(buffer)};
  }

  /** The next record, or `undefined` if there is none; `progress` tells whether it was the last one. */
  async next(): Promise<StreamRecord<Line> | undefined> {
    const {buffer, timestamp} = this.#content;
    const {covered} = this;
    let record: InputRecord | undefined;
    try {
      record = await this.#split(buffer, {boundary: this.#boundary});
    } catch (error) {
      throw sourceFailure(error, {name: this.#input.key, offset: readBytes(buffer)});
    }
    const last = record === undefined || record.last;
    if (last && this.covered) throw cutOrReplaced(this.#input, {boundary: this.#boundary, size: buffer.offset});
    if (covered && !this.covered) checkPreceding(buffer, {input: this.#input, progress: this.#covered});
    this.#ended = last && !covered;
    if (record === undefined) return undefined;
    const {offset, ...value} = record;
    return {
      key: this.#input.key,
      value: {...value, last: this.#ended},
      position: {partition: this.partition, offset: BigInt(offset)},
      timestamp,
    };
  }

  close(): Promise<void> {
    return this.#content.buffer.close();
  }
}

/** Goes to where `progress` says; resolves to a function that tells whether there is anything behind it. */
async function passCovered(
  {buffer, size}: Content,
  {input, progress}: {input: Input; progress: PartitionProgress},
): Promise<() => Promise<boolean>> {
  const boundary = boundaryOf(progress);
  if (size !== undefined && size < boundary) throw cutOrReplaced(input, {boundary, size});
  const passed = await buffer.skip(boundary);
  if (passed < boundary) throw cutOrReplaced(input, {boundary, size: passed});
  checkPreceding(buffer, {input, progress});
  return size === undefined ? async () => (await buffer.fill(1)) > 0 : async () => size > boundary;
}

function boundaryOf(progress: PartitionProgress | undefined): number {
  return Number(progress?.nextOffset ?? 0n);
}

/** @throws {SourceError} If what was just passed over is not what was read when `progress` was made. */
function checkPreceding(
  buffer: InputBuffer,
  {input, progress}: {input: Input; progress: PartitionProgress | undefined},
): void {
  if (progress?.precedingDigest === undefined || progress.precedingDigest === precedingDigest(buffer)) return;
  const advice = typeof input.from === 'string' ? 'it was replaced' : 'pipe the same input again';
  throw new SourceError(
    `Cannot go on reading "${input.key}" at offset ${buffer.offset} as what lies before must be what was read: it is not; ${advice}`,
  );
}

function cutOrReplaced({key, from}: Input, {boundary, size}: {boundary: number; size: number}): SourceError {
  const advice = typeof from === 'string' ? 'it was cut or replaced' : 'pipe the same input again';
  return new SourceError(
    `Cannot go on reading "${key}" at offset ${boundary} as it holds only ${size} bytes: ${advice}`,
  );
}

function readBytes(buffer: InputBuffer): number {
  return buffer.offset + buffer.available;
}
