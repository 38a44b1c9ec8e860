import type {InputBuffer} from './input-buffer.ts';

const LINE_FEED = 0x0a;

/** Index of the next line feed among the next `window` bytes, or -1; reads no further than it has to. */
export async function findLineFeed(buffer: InputBuffer, window: number): Promise<number> {
  for (let searched = 0; ; ) {
    const feed = buffer.indexOf(LINE_FEED, searched);
    if (feed !== -1) return feed < window ? feed : -1;
    searched = buffer.available;
    if (searched >= window || (await buffer.fill(searched + 1)) === searched) return -1;
  }
}
