import {createHash} from 'node:crypto';

// A sum of eight integers, uniform on 0 … 65535: its mean, and one over its standard deviation.
const mean = 8 * 32767.5;
const scale = 1 / Math.sqrt((8 * (65536 ** 2 - 1)) / 12);

/**
 * Numbers that are close to normally distributed, the same on every platform: xoshiro128** seeded with the SHA-256 of a
 * text, and sums of eight uniform integers rather than Box–Muller, whose logarithm may differ in the last bit between
 * engines. The sums stay within 4.9 standard deviations.
 */
export class RandomNormals {
  readonly #words: Uint32Array;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#words = Uint32Array.from({length: 4}, (_, i) => digest.readUInt32LE(4 * i));
  }

  /** Adds normals of mean zero to all elements. */
  addTo(values: Float32Array, {standardDeviation}: {standardDeviation: number}): void {
    const factor = scale * standardDeviation;
    for (let i = 0; i < values.length; i++) {
      let sum = 0;
      for (let j = 0; j < 4; j++) {
        const word = this.#next();
        sum += (word & 0xffff) + (word >>> 16);
      }
      values[i]! += (sum - mean) * factor;
    }
  }

  #next(): number {
    const words = this.#words;
    const second = words[1]!;
    const product = Math.imul(second, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    words[2]! ^= words[0]!;
    words[3]! ^= second;
    words[1]! ^= words[2]!;
    words[0]! ^= words[3]!;
    words[2]! ^= second << 9;
    words[3] = (words[3]! << 11) | (words[3]! >>> 21);
    return result;
  }
}
