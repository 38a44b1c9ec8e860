/** Bytes of all buffers, those that are lent and those that wait to be. */
const mostBytes = 64 * 1024 * 1024;

/** Smaller ones are cheap to make anew. */
const leastBytes = 64 * 1024;

/** Longest unused first. */
const spare: Uint8Array[] = [];
let bytesOfAll = 0;

/**
 * Buffers of this process that are lent until they are given back together. As much new memory every few seconds would be cleared first, and
 * garbage collected several times each.
 */
export class LentBuffers {
  readonly #lent: Uint8Array[] = [];
  #ended = false;

  /** Whether what was taken may hold something else by now. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Gives bytes that nothing else uses until {@link giveBack}, with anything in them; new ones where too many are lent. */
  take(length: number): Uint8Array {
    const buffer = length < leastBytes ? undefined : (takeSpare(length) ?? makeSpare(length));
    if (buffer === undefined) return new Uint8Array(length);
    this.#lent.push(buffer);
    return buffer.subarray(0, length);
  }

  /** Lets all that was taken be lent again. */
  giveBack(): void {
    this.#ended = true;
    spare.push(...this.#lent.splice(0));
  }

  /** Leaves all that was taken to whoever may use it still. */
  giveUp(): void {
    for (const {length} of this.#lent.splice(0)) bytesOfAll -= length;
  }
}

/** The smallest that is large enough, unless it is far too large. */
function takeSpare(length: number): Uint8Array | undefined {
  let best: number | undefined;
  for (const [index, buffer] of spare.entries()) {
    if (buffer.length < length || buffer.length > 4 * length) continue;
    if (best === undefined || buffer.length < spare[best]!.length) best = index;
  }
  return best === undefined ? undefined : spare.splice(best, 1)[0];
}

/** Makes one with room for what a record may grow by, if need be in place of others that wait. */
function makeSpare(length: number): Uint8Array | undefined {
  const bytes = Math.ceil(length * 1.125);
  while (bytesOfAll + bytes > mostBytes && spare.length > 0) bytesOfAll -= spare.shift()!.length;
  if (bytesOfAll + bytes > mostBytes) return undefined;
  bytesOfAll += bytes;
  return new Uint8Array(bytes);
}
