import type {ModelConfig} from '../model/model-config.ts';
import {weightShapes} from '../model/weights/weight-shapes.ts';
import type {CompressionLossName} from './compression-loss.ts';

/** Names and shapes of what is trained, in two groups that share no loss: each is clipped by its own norm. */
export type TrainableWeights = {
  /** What the language-modelling loss trains. */
  readonly main: ReadonlyMap<string, readonly number[]>;
  /** What a loss of the compressors trains, those that only training needs included. */
  readonly auxiliary: ReadonlyMap<string, readonly number[]>;
};

/** The auto-encoder's decoder of a layer: a transposed convolution of kernel and stride c. [c, d, d] */
export function decoderName(layer: number): string {
  return `layers.${layer}.decoder.weight`;
}

/** Divides the weights of a model, and what its loss needs besides, by the loss that trains them. */
export function trainableWeights(config: ModelConfig, compressionLoss: CompressionLossName): TrainableWeights {
  const main = new Map<string, readonly number[]>();
  const auxiliary = new Map<string, readonly number[]>();
  const apart = compressionLoss === 'attention-reconstruction' || compressionLoss === 'auto-encoding';
  for (const [name, shape] of weightShapes(config)) {
    (apart && name.includes('.compressor.') ? auxiliary : main).set(name, shape);
  }
  if (compressionLoss === 'auto-encoding') {
    const {layers, compressionRate: c, modelWidth: d} = config;
    for (let layer = 0; layer < layers; layer++) auxiliary.set(decoderName(layer), [c, d, d]);
  }
  return {main, auxiliary};
}
