import type {ModelConfig} from '../model/model-config.ts';
import {needsReceivedAttention} from '../model/needs-received-attention.ts';
import type {RememberedRows} from '../model/project-memory.ts';
import {tf} from '../model/tf.ts';

/** What is remembered of B documents before their first token, layer by layer. */
export function emptyRemembered(batch: number, config: ModelConfig): RememberedRows[] {
  const {layers, modelWidth: d, memoryLength, compressedMemoryLength} = config;
  return Array.from({length: layers}, () => ({
    ...(memoryLength > 0 && {rows: tf.zeros<tf.Rank.R3>([batch, memoryLength, d])}),
    ...(compressedMemoryLength > 0 && {compressedRows: tf.zeros<tf.Rank.R3>([batch, compressedMemoryLength, d])}),
    ...(memoryLength > 0 &&
      needsReceivedAttention(config) && {attentionMass: tf.zeros<tf.Rank.R2>([batch, memoryLength])}),
  }));
}
