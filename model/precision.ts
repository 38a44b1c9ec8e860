/** How matrix products multiply; sums, softmax, normalisation and losses are always float32. */
export type Precision = 'float32' | 'bfloat16';
