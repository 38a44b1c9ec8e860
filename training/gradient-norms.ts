export type GradientNorms = {
  /** Of the model without its compressors. */
  readonly gradientNorm?: number;
  /** Of the compressors, if they are trained. */
  readonly auxiliaryGradientNorm?: number;
};

/**
 * Global norms of gradients.
 *
 * @param squares Squared norm of each weight's gradient, those of the compressors last.
 * @param main Weights that are not of compressors.
 */
export function gradientNorms(squares: Float32Array, main: number): GradientNorms {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value, 0));
  return {
    gradientNorm: norm(squares.subarray(0, main)),
    ...(squares.length > main && {auxiliaryGradientNorm: norm(squares.subarray(main))}),
  };
}
