import {cutLine} from './cut-line.ts';
import {findLineFeed} from './find-line-feed.ts';
import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';
import {nextChunk} from './next-chunk.ts';

const LINE_FEED = 0x0a;

export type NextWholeLinesOptions = {
  /** Lines are taken together up to here. */
  readonly chunkBytes: number;
  /** Of a longer line only the beginning is taken. */
  readonly maxLineBytes: number;
  /** Offset that no record reaches across. */
  readonly boundary: number;
};

/** Takes the next lines out, with their line feeds; at the end of the content, what is left, which is the last. */
export async function nextWholeLines(
  buffer: InputBuffer,
  {chunkBytes, maxLineBytes, boundary}: NextWholeLinesOptions,
): Promise<InputRecord> {
  const room = boundary > buffer.offset ? boundary - buffer.offset : Number.POSITIVE_INFINITY;
  const limit = Math.min(chunkBytes, room);
  const gathered = await buffer.gather(limit + 1);
  if (gathered <= limit && buffer.ended) return nextChunk(buffer, {chunkBytes, boundary});
  const lastFeed = buffer.peek(Math.min(gathered, limit)).lastIndexOf(LINE_FEED);
  if (lastFeed !== -1) return nextChunk(buffer, {chunkBytes: lastFeed + 1, boundary});
  // What an interrupted run took last ends there, whether that is the end of a line or was the end of the input.
  const window = Math.min(maxLineBytes + 1, room);
  const feed = await findLineFeed(buffer, window);
  const size = feed === -1 ? Math.min(buffer.available, window) : feed + 1;
  const length = feed === -1 ? size : feed;
  if (length <= maxLineBytes) {
    await buffer.fill(size + 1);
    return nextChunk(buffer, {chunkBytes: size, boundary});
  }
  const line = await cutLine(buffer, {maxLineBytes, boundary});
  const last = (await buffer.fill(1)) === 0;
  return {...line, last, offset: buffer.offset - 1};
}
