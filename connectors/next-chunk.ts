import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';

const LINE_FEED = 0x0a;

export type NextChunkOptions = {
  readonly chunkBytes: number;
  /** Whether a chunk ends at a line end if it has one. */
  readonly wholeLines: boolean;
  /** Offset that no chunk reaches across. */
  readonly boundary: number;
};

/** Takes the next chunk out; at the end of the content, one that is empty and the last. */
export async function nextChunk(
  buffer: InputBuffer,
  {chunkBytes, wholeLines, boundary}: NextChunkOptions,
): Promise<InputRecord> {
  const room = boundary - buffer.offset;
  const limit = room > 0 ? Math.min(chunkBytes, room) : chunkBytes;
  // One byte more than the chunk holds tells whether it is the last one.
  const last = (await buffer.fill(limit + 1)) <= limit;
  let size = Math.min(buffer.available, limit);
  if (wholeLines && !last) {
    const lineEnd = buffer.peek(size).lastIndexOf(LINE_FEED);
    if (lineEnd !== -1) size = lineEnd + 1;
  }
  const content = buffer.take(size);
  return {content, last, offset: buffer.offset - 1};
}
