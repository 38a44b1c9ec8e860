import type {InputBuffer} from './input-buffer.ts';
import type {InputRecord} from './input-record.ts';

export type NextChunkOptions = {
  readonly chunkBytes: number;
  /** Offset that no chunk reaches across. */
  readonly boundary: number;
};

/** Takes the next chunk out; at the end of the content, one that is empty and the last. */
export async function nextChunk(buffer: InputBuffer, {chunkBytes, boundary}: NextChunkOptions): Promise<InputRecord> {
  const room = boundary - buffer.offset;
  const limit = room > 0 ? Math.min(chunkBytes, room) : chunkBytes;
  // One byte more than the chunk holds tells whether it is the last one.
  const gathered = await buffer.gather(limit + 1);
  const last = gathered <= limit && buffer.ended;
  const content = buffer.take(Math.min(gathered, limit));
  return {content, last, offset: buffer.offset - 1};
}
