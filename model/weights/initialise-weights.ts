import type {TensorData} from '../memory-snapshot.ts';
import type {ModelConfig} from '../model-config.ts';
import {validateModelConfig} from '../validate-model-config.ts';
import {RandomNormals} from './random-normals.ts';
import {weightShapes} from './weight-shapes.ts';

/**
 * Weights of an untrained model; the same configuration and seed give the same bits on every platform.
 *
 * Everything is normal with mean 0 and a standard deviation chosen so that activations start near variance 1:
 * - embedding: d^(−1/2), as it is scaled by √d where it is read;
 * - projections: (inputs)^(−1/2), times √2 before the ReLU; the two that end in the residual stream (`output`, `outer`)
 *   times (2l)^(−1/2), so that its variance does not grow with depth;
 * - u, v and v_cm: 0.02; biases of layers 0, gains 1;
 * - compressor convolutions: the mean of the window, respectively the row itself for the dilated ones, plus noise of
 *   0.1 d^(−1/2), so that an untrained model compresses about as mean pooling does (the dilated one after a ReLU).
 *
 * @param seed An integer.
 * @throws {RangeError | TypeError} If the configuration is refused, or the seed is not a safe integer.
 */
export function initialiseWeights(config: ModelConfig, seed: number): Map<string, TensorData> {
  validateModelConfig(config);
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot initialise weights as seed must be a safe integer: current value is ${seed}`);
  }
  const weights = new Map<string, TensorData>();
  for (const [name, shape] of weightShapes(config)) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    const standardDeviation = initialise(name, {data, shape, config});
    // A generator per tensor: a weight's values do not depend on which other weights the model has.
    if (standardDeviation > 0) new RandomNormals(`${seed} ${name}`).addTo(data, {standardDeviation});
    weights.set(name, {shape, data});
  }
  return weights;
}

/** Sets the means and returns the standard deviation of what is added to them. */
function initialise(
  name: string,
  {data, shape, config}: {data: Float32Array; shape: readonly number[]; config: ModelConfig},
): number {
  const {layers, modelWidth, compressionRate} = config;
  if (name.endsWith('.gain')) {
    data.fill(1);
    return 0;
  }
  if (name.endsWith('_bias')) return 0.02;
  if (name.endsWith('.bias')) return 0;
  if (name === 'embedding.weight') return 1 / Math.sqrt(modelWidth);
  if (name.includes('.compressor.')) {
    const dilated = name.includes('.dilated.');
    const rows = dilated ? 1 : compressionRate;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < modelWidth; i++) data[(row * modelWidth + i) * modelWidth + i] = 1 / rows;
    }
    return 0.1 / Math.sqrt(modelWidth);
  }
  const fan = 1 / Math.sqrt(shape[0]!);
  if (name.endsWith('.output.weight') || name.endsWith('.outer.weight')) return fan / Math.sqrt(2 * layers);
  return name.endsWith('.inner.weight') ? fan * Math.SQRT2 : fan;
}
