import {mixBits} from './mix-bits.ts';

/**
 * The bucket that a pair of neighbouring tokens falls into.
 *
 * @param buckets A power of two.
 */
export function pairBucket([first, second]: readonly [number, number], buckets: number): number {
  return mixBits(Math.imul(first, 0x9e3779b1) ^ second) & (buckets - 1);
}
