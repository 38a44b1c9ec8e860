import type {Readable} from 'node:stream';
import {SourceError} from '../errors.ts';
import type {Line} from '../pipeline/line.ts';
import type {PartitionProgress} from '../pipeline/progress.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';
import {looksBinary} from './looks-binary.ts';
import {type Content, openContent} from './open-content.ts';
import {sourceFailure} from './source-failure.ts';

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const JUDGED_BYTES = 4096;

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
  #ended = false;

  private constructor(input: Input, {content, split, boundary}: {content: Content; split: Split; boundary: number}) {
    this.partition = input.partition;
    this.#input = input;
    this.#content = content;
    this.#split = split;
    this.#boundary = boundary;
  }

  /**
   * Opens an input where `progress` says.
   *
   * @returns `undefined` if it ended there and has not grown.
   */
  static async open(input: Input, options: OpenInputOptions): Promise<OpenInput | undefined> {
    const {split, signal, progress, rereadFromStart, allowBinary} = options;
    const boundary = Number(progress?.nextOffset ?? 0n);
    let content: Content | undefined;
    try {
      content = await openContent(input.from, {signal});
      if (progress !== undefined && (!rereadFromStart || (progress.ended && content.repeatable))) {
        const more = await passCovered(content, {input, boundary});
        if (progress.ended && !(await more())) {
          await content.buffer.close();
          return undefined;
        }
        if (rereadFromStart) {
          await content.buffer.close();
          content = await openContent(input.from, {signal});
        }
      }
      if (content.buffer.offset === 0) await begin(content, {input, allowBinary});
      return new OpenInput(input, {content, split, boundary});
    } catch (error) {
      await content?.buffer.close();
      throw sourceFailure(error, {name: input.key, ...(content && {offset: readBytes(content.buffer)})});
    }
  }

  /** Whether the next record was covered before an interruption. */
  get covered(): boolean {
    return this.#content.buffer.offset < this.#boundary;
  }

  get progress(): PartitionProgress {
    return {nextOffset: BigInt(this.#content.buffer.offset), ended: this.#ended};
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

/** Goes to `boundary`; resolves to a function that tells whether there is anything behind it. */
async function passCovered(
  {buffer, size}: Content,
  {input, boundary}: {input: Input; boundary: number},
): Promise<() => Promise<boolean>> {
  const passed = size === undefined ? await buffer.skip(boundary) : size;
  if (passed < boundary) throw cutOrReplaced(input, {boundary, size: passed});
  if (size === undefined) return async () => (await buffer.fill(1)) > 0;
  await buffer.skip(boundary);
  return async () => size > boundary;
}

async function begin({buffer}: Content, {input, allowBinary}: {input: Input; allowBinary: boolean}) {
  // Whatever the first read gives is enough to judge: more of a terminal's input may be slow to come.
  await buffer.fill(1);
  const looks = allowBinary ? undefined : looksBinary(buffer.peek(JUDGED_BYTES));
  if (looks !== undefined) {
    const what = looks === 'UTF-16' ? 'UTF-16 text: convert it to UTF-8 first' : 'a binary file';
    throw new SourceError(`Cannot read "${input.key}" as text as it looks like ${what}`);
  }
  if (buffer.peek(1)[0] !== BYTE_ORDER_MARK[0]) return;
  await buffer.fill(BYTE_ORDER_MARK.length);
  const start = buffer.peek(BYTE_ORDER_MARK.length);
  if (BYTE_ORDER_MARK.every((byte, index) => start[index] === byte)) buffer.drop(BYTE_ORDER_MARK.length);
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
