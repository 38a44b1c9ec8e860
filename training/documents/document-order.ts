import {createHash} from 'node:crypto';

/**
 * The order of an epoch: a permutation of 0 … count − 1 that follows from seed and epoch, the same on every platform.
 */
export function documentOrder(count: number, {seed, epoch}: {seed: number; epoch: number}): number[] {
  const key = (index: number) => createHash('sha256').update(`${seed} ${epoch} ${index}`).digest('hex');
  return Array.from({length: count}, (_, index) => ({index, key: key(index)}))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({index}) => index);
}
