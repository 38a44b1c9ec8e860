import type {Engine} from './engine.ts';

/** How to measure. */
export type MeasureMatmulOptions = {
  /** Rows and columns of both matrices. @default {1024} */
  readonly size?: number;
  /** Products measured, after one that is not. @default {5} */
  readonly rounds?: number;
};

/**
 * Measures how fast an engine multiplies two square float32 matrices.
 *
 * @returns Median of the rounds, in GFLOP/s (a product of size s has 2 s³ operations).
 */
export async function measureMatmul(
  {tf}: Pick<Engine, 'tf'>,
  {size = 1024, rounds = 5}: MeasureMatmulOptions = {},
): Promise<number> {
  for (const [name, value] of Object.entries({size, rounds})) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot measure a matrix product as ${name} must be a positive integer: current value is ${value}`,
      );
    }
  }
  const matrix = tf.randomNormal([size, size]);
  const seconds: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      const corner = tf.tidy(() => tf.slice(tf.matMul(matrix, matrix), [0, 0], [1, 1]));
      // A GPU returns before it is done: one element is read to wait for it.
      await corner.data();
      if (round > 0) seconds.push((performance.now() - start) / 1000);
      corner.dispose();
    }
  } finally {
    matrix.dispose();
  }
  seconds.sort((a, b) => a - b);
  const middle = rounds >> 1;
  const median = rounds % 2 === 1 ? seconds[middle]! : (seconds[middle - 1]! + seconds[middle]!) / 2;
  return (2 * size ** 3) / median / 1e9;
}
