import {cutLine} from './cut-line.ts';
import {findLineFeed} from './find-line-feed.ts';
import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export type NextLineOptions = {
  readonly maxLineBytes: number;
  /** Offset that no line reaches across. */
  readonly boundary: number;
};

/** Takes the next line out that is not empty, and passes over empty ones before and behind it. */
export async function nextLine(
  buffer: InputBuffer,
  {maxLineBytes, boundary}: NextLineOptions,
): Promise<InputRecord | undefined> {
  await skipEmptyLines(buffer);
  if ((await buffer.fill(1)) === 0) return undefined;
  const room = boundary > buffer.offset ? boundary - buffer.offset : Number.POSITIVE_INFINITY;
  // Room for the longest line and its terminator: without a line feed in there, the line is too long.
  const window = Math.min(maxLineBytes + 2, room);
  const feed = await findLineFeed(buffer, window);
  const ends = feed === -1 ? Math.min(buffer.available, window) : feed;
  const content = feed > 0 && buffer.peek(feed)[feed - 1] === CARRIAGE_RETURN ? feed - 1 : ends;
  const line =
    content > maxLineBytes
      ? await cutLine(buffer, {maxLineBytes, boundary})
      : {content: buffer.take(feed === -1 ? ends : feed + 1).subarray(0, content)};
  const offset = buffer.offset - 1;
  await skipEmptyLines(buffer);
  const last = (await buffer.fill(1)) === 0;
  return {...line, last, offset};
}

async function skipEmptyLines(buffer: InputBuffer): Promise<void> {
  while ((await buffer.fill(1)) > 0) {
    const [first] = buffer.peek(1);
    if (first === LINE_FEED) buffer.drop(1);
    else if (first === CARRIAGE_RETURN && (await buffer.fill(2)) > 1 && buffer.peek(2)[1] === LINE_FEED) buffer.drop(2);
    else return;
  }
}
