import {LocalModel, type LocalModelOptions} from '../../model/local-model.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';

/** Sizes that fill and overflow every memory within a few hundred tokens, all multiples of what processors work in. */
export const smallConfig: ModelConfig = {
  segmentLength: 16,
  memoryLength: 32,
  compressedMemoryLength: 16,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 32,
  feedForwardWidth: 64,
  vocabularySize: 256,
};

export function smallModelOptions(config: Partial<ModelConfig> = {}): LocalModelOptions {
  const whole = {...smallConfig, ...config};
  return {name: 'small', fingerprint: '0123456789abcdef', config: whole, weights: initialiseWeights(whole, 1)};
}

/** A real model with untrained weights, in this thread, on the engine that the test has opened. */
export function smallModel(config: Partial<ModelConfig> = {}): LocalModel {
  return new LocalModel(smallModelOptions(config));
}
