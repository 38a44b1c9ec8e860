/** Older texts have no space behind the asterisks. */
const START = ['*** START OF', '***START OF'];
const END = ['*** END OF', '***END OF'];
const LINE_FEED = 0x0a;
/** More than a marker and its line take. */
const OVERLAP = 4096;

/** Finds the lines between which a text of Project Gutenberg stands, in a document that comes in pieces. */
export class GutenbergMarkers {
  #kept: Buffer = Buffer.alloc(0);
  /** Offset of what is kept. */
  #offset = 0;
  #start: number | undefined;
  #end: number | undefined;

  push(piece: Uint8Array): void {
    if (this.#end !== undefined) return;
    const bytes = Buffer.concat([this.#kept, piece]);
    if (this.#start === undefined) {
      const marker = firstOf(START, bytes);
      const lineEnd = marker === -1 ? -1 : bytes.indexOf(LINE_FEED, marker);
      if (lineEnd !== -1) this.#start = this.#offset + lineEnd + 1;
    }
    if (this.#start !== undefined) {
      const marker = firstOf(END, bytes, Math.max(0, this.#start - this.#offset));
      if (marker !== -1) this.#end = this.#offset + bytes.lastIndexOf(LINE_FEED, marker) + 1;
    }
    const dropped = Math.max(0, bytes.length - OVERLAP);
    this.#kept = bytes.subarray(dropped);
    this.#offset += dropped;
  }

  /** Where the text begins and ends, in bytes; all of the document where there are no markers. */
  range(length: number): {readonly start: number; readonly end: number} {
    return {start: this.#start ?? 0, end: this.#end ?? length};
  }
}

/** Where the first of several texts begins, or −1. */
function firstOf(texts: readonly string[], bytes: Buffer, from = 0): number {
  const places = texts.map(text => bytes.indexOf(text, from)).filter(place => place !== -1);
  return places.length === 0 ? -1 : Math.min(...places);
}
