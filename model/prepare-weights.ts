import * as tf from '@tensorflow/tfjs';
import {dilations} from './compressors/dilated-convolution.ts';
import type {LayerWeights, NormalisationWeights} from './layer-weights.ts';
import type {ModelConfig} from './model-config.ts';
import {positionKeys} from './position-keys.ts';

/** All weights in the form that a step uses. */
export type PreparedWeights = {
  /** E. [V, d] */
  readonly embedding: tf.Tensor2D;
  readonly layers: readonly LayerWeights[];
  readonly finalNormalisation: NormalisationWeights;
};

/**
 * Joins and projects named weights into the form that a step uses. Differentiable, so that a trainer can call it inside its tape; at
 * inference it is called once.
 *
 * @param weight Gives the tensor of a name in docs/model.md.
 */
export function prepareWeights(config: ModelConfig, weight: (name: string) => tf.Tensor): PreparedWeights {
  const {heads, modelWidth, segmentLength, memoryLength, compressedMemoryLength} = config;
  const headWidth = modelWidth / heads; // k
  const bias = (name: string) => tf.reshape(weight(name), [heads, 1, headWidth]) as tf.Tensor3D;
  const normalisation = (name: string) => ({gain: weight(`${name}.gain`), bias: weight(`${name}.bias`)});

  const layer = (index: number): LayerWeights => {
    const at = (name: string) => `layers.${index}.${name}`;
    const matrix = (name: string) => weight(at(name)) as tf.Tensor2D;
    const query = tf.mul(matrix('attention.query.weight'), headWidth ** -0.5); // [d, d]
    const key = matrix('attention.key.weight');
    const value = matrix('attention.value.weight');
    return {
      attentionNormalisation: normalisation(at('attention.normalisation')),
      queryKeyValue: tf.concat2d([query as tf.Tensor2D, key, value], 1),
      keyValue: tf.concat2d([key, value], 1),
      output: matrix('attention.output.weight'),
      contentBias: bias(at('attention.content_bias')),
      positionBias: bias(at('attention.position_bias')),
      positionKeys: positionKeys(matrix('attention.position.weight'), {slots: memoryLength, segmentLength, heads}),
      ...(compressedMemoryLength > 0 && {
        compressedPositionBias: bias(at('attention.compressed_position_bias')),
        compressedPositionKeys: positionKeys(matrix('attention.compressed_position.weight'), {
          slots: compressedMemoryLength,
          segmentLength,
          heads,
        }),
      }),
      feedForwardNormalisation: normalisation(at('feed_forward.normalisation')),
      feedForward: {
        inner: tf.transpose(matrix('feed_forward.inner.weight')) as tf.Tensor2D,
        innerBias: weight(at('feed_forward.inner.bias')),
        outer: matrix('feed_forward.outer.weight'),
        outerBias: weight(at('feed_forward.outer.bias')),
      },
      ...(compressedMemoryLength > 0 &&
        config.compressor === 'convolution' && {convolution: weight(at('compressor.weight')) as tf.Tensor3D}),
      ...(compressedMemoryLength > 0 &&
        config.compressor === 'dilated-convolution' && {
          dilatedConvolution: {
            dilated: dilations.map((_, j) => weight(at(`compressor.dilated.${j}.weight`)) as tf.Tensor3D),
            strided: weight(at('compressor.strided.weight')) as tf.Tensor3D,
          },
        }),
    };
  };

  return {
    embedding: weight('embedding.weight') as tf.Tensor2D,
    layers: Array.from({length: config.layers}, (_, index) => layer(index)),
    finalNormalisation: normalisation('final_normalisation'),
  };
}
