import type {InputBuffer} from './input-buffer.ts';

const LINE_FEED = 0x0a;
/** What is kept of a line that is too long: enough to know it by. */
const KEPT_BYTES = 64 * 1024;

export type CutLineOptions = {
  /** What is available of the line is longer. */
  readonly maxLineBytes: number;
  /** Offset that it does not pass. */
  readonly boundary: number;
};

/** Takes the next line out, which is too long, and gives its beginning. */
export async function cutLine(
  buffer: InputBuffer,
  {maxLineBytes, boundary}: CutLineOptions,
): Promise<{readonly content: Uint8Array; readonly cut: true}> {
  const content = buffer.peek(Math.min(maxLineBytes, KEPT_BYTES)).slice();
  while ((await buffer.fill(1)) > 0) {
    const room = boundary > buffer.offset ? boundary - buffer.offset : Number.POSITIVE_INFINITY;
    const feed = buffer.indexOf(LINE_FEED);
    const bytes = feed === -1 ? buffer.available : feed + 1;
    buffer.drop(Math.min(bytes, room));
    if (feed !== -1 || bytes >= room) break;
  }
  return {content, cut: true};
}
