/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let sum = seed >>> 0;
  return () => {
    sum = (sum + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(sum ^ (sum >>> 15), sum | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
