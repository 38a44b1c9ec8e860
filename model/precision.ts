/** How matrix products multiply; sums, softmax, normalisation and losses are always float32. */
export type Precision = 'float32' | 'bfloat16';

/** A precision, or `auto`: bfloat16 where the engine has it and the processor is faster by it, else float32. */
export type PrecisionChoice = Precision | 'auto';
