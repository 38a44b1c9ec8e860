import type {LayerMemory, Memory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {tf} from './tf.ts';

/** The memory of B documents before their first token: all slots empty. */
export function emptyMemory(batch: number, config: ModelConfig): Memory {
  const {layers, heads, modelWidth, memoryLength, compressedMemoryLength, compressor} = config;
  const headWidth = modelWidth / heads; // k
  const projections = (slots: number): tf.Tensor4D => tf.zeros([heads, batch, slots, headWidth]);
  const layer = (): LayerMemory => ({
    ...(memoryLength > 0 && {
      rows: tf.zeros([batch, memoryLength, modelWidth]),
      keys: projections(memoryLength),
      values: projections(memoryLength),
    }),
    ...(compressedMemoryLength > 0 && {
      compressedRows: tf.zeros([batch, compressedMemoryLength, modelWidth]),
      compressedKeys: projections(compressedMemoryLength),
      compressedValues: projections(compressedMemoryLength),
    }),
    ...(compressor === 'most-used' &&
      compressedMemoryLength > 0 &&
      memoryLength > 0 && {attentionMass: tf.zeros([batch, memoryLength])}),
  });
  return {
    counts: Array.from({length: batch}, () => ({memory: 0, compressed: 0})),
    lastHidden: tf.zeros([batch, modelWidth]),
    layers: Array.from({length: layers}, layer),
  };
}
