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
  const cut = content > maxLineBytes;
  const bytes = buffer.peek(Math.min(content, maxLineBytes)).slice();
  if (feed !== -1) buffer.drop(feed + 1);
  else if (cut) await skipLine(buffer, boundary);
  else buffer.drop(ends);
  const offset = buffer.offset - 1;
  await skipEmptyLines(buffer);
  const last = (await buffer.fill(1)) === 0;
  return cut ? {content: bytes, last, cut, offset} : {content: bytes, last, offset};
}

async function findLineFeed(buffer: InputBuffer, window: number): Promise<number> {
  for (let searched = 0; ; ) {
    const feed = buffer.indexOf(LINE_FEED, searched);
    if (feed !== -1) return feed < window ? feed : -1;
    searched = buffer.available;
    if (searched >= window || (await buffer.fill(searched + 1)) === searched) return -1;
  }
}

async function skipLine(buffer: InputBuffer, boundary: number): Promise<void> {
  while ((await buffer.fill(1)) > 0) {
    const room = boundary > buffer.offset ? boundary - buffer.offset : Number.POSITIVE_INFINITY;
    const feed = buffer.indexOf(LINE_FEED);
    const bytes = feed === -1 ? buffer.available : feed + 1;
    buffer.drop(Math.min(bytes, room));
    if (feed !== -1 || bytes >= room) return;
  }
}

async function skipEmptyLines(buffer: InputBuffer): Promise<void> {
  while ((await buffer.fill(1)) > 0) {
    const [first] = buffer.peek(1);
    if (first === LINE_FEED) buffer.drop(1);
    else if (first === CARRIAGE_RETURN && (await buffer.fill(2)) > 1 && buffer.peek(2)[1] === LINE_FEED) buffer.drop(2);
    else return;
  }
}
