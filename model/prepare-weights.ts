import {dilations} from './compressors/dilated-convolution.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {PackedMatrix} from './kernels/packed-matrix.ts';
import type {LayerWeights, NormalisationWeights} from './layer-weights.ts';
import type {ModelConfig} from './model-config.ts';
import {tf} from './tf.ts';

/** All weights in the form that a step uses. */
export type PreparedWeights = {
  /** E. [V, d] */
  readonly embedding: tf.Tensor2D;
  /** Eᵀ. [d, V] */
  readonly vocabulary: PackedMatrix;
  readonly layers: readonly LayerWeights[];
  readonly finalNormalisation: NormalisationWeights;
};

/**
 * Joins and projects named weights into the form that a step uses. Differentiable, so that a trainer can call it inside its tape; at
 * inference it is called once.
 *
 * @param options.weight Gives the tensor of a name in docs/model.md.
 */
export function prepareWeights(
  config: ModelConfig,
  {weight, kernels}: {weight: (name: string) => tf.Tensor; kernels: Kernels},
): PreparedWeights {
  const {heads, modelWidth, segmentLength, memoryLength, compressedMemoryLength} = config;
  const headWidth = modelWidth / heads; // k
  const bias = (name: string) => tf.reshape(weight(name), [heads, 1, headWidth]) as tf.Tensor3D;
  const normalisation = (name: string) => ({gain: weight(`${name}.gain`), bias: weight(`${name}.bias`)});

  const layer = (index: number): LayerWeights => {
    const at = (name: string) => `layers.${index}.${name}`;
    const matrix = (name: string) => weight(at(name)) as tf.Tensor2D;
    const packed = (name: string) => kernels.packMatrix(matrix(name));
    const window = (name: string) => {
      const kernel = weight(at(name)) as tf.Tensor3D; // [rows, d, d]
      return kernels.packMatrix(tf.reshape(kernel, [-1, modelWidth]) as tf.Tensor2D);
    };
    const positions = (name: string, slots: number) =>
      kernels.packPositions(kernels.positionKeys(matrix(name), {slots, segmentLength, heads}));
    const query = tf.mul(matrix('attention.query.weight'), headWidth ** -0.5); // [d, d]
    const key = matrix('attention.key.weight');
    const value = matrix('attention.value.weight');
    return {
      attentionNormalisation: normalisation(at('attention.normalisation')),
      queryKeyValue: kernels.packMatrix(tf.concat2d([query as tf.Tensor2D, key, value], 1)),
      keyValue: kernels.packMatrix(tf.concat2d([key, value], 1)),
      output: packed('attention.output.weight'),
      contentBias: bias(at('attention.content_bias')),
      positionBias: bias(at('attention.position_bias')),
      positionKeys: positions('attention.position.weight', memoryLength),
      ...(compressedMemoryLength > 0 && {
        compressedPositionBias: bias(at('attention.compressed_position_bias')),
        compressedPositionKeys: positions('attention.compressed_position.weight', compressedMemoryLength),
      }),
      feedForward: {
        normalisation: normalisation(at('feed_forward.normalisation')),
        inner: packed('feed_forward.inner.weight'),
        innerBias: weight(at('feed_forward.inner.bias')),
        outer: packed('feed_forward.outer.weight'),
        outerBias: weight(at('feed_forward.outer.bias')),
      },
      ...(compressedMemoryLength > 0 &&
        config.compressor === 'convolution' && {convolution: window('compressor.weight')}),
      ...(compressedMemoryLength > 0 &&
        config.compressor === 'dilated-convolution' && {
          dilatedConvolution: {
            dilated: dilations.map((_, j) => window(`compressor.dilated.${j}.weight`)),
            strided: window('compressor.strided.weight'),
          },
        }),
    };
  };

  const embedding = weight('embedding.weight') as tf.Tensor2D;
  return {
    embedding,
    vocabulary: kernels.packMatrix(embedding, {transposed: true}),
    layers: Array.from({length: config.layers}, (_, index) => layer(index)),
    finalNormalisation: normalisation('final_normalisation'),
  };
}
