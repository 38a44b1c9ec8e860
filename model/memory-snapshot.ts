/** A tensor's content outside the engine. */
export type TensorData = {readonly shape: readonly number[]; readonly data: Float32Array};

/**
 * One memory outside the engine: only the filled slots, oldest first.
 *
 * Tensors by name, with l layers, v_m and v_cm filled slots and width d:
 * `memory` [l, v_m, d], `compressedMemory` [l, v_cm, d], `lastHidden` [d] (the final hidden vector that predicts the next
 * token), and for the most-used compressor `attentionMass` [l, v_m].
 */
export type MemorySnapshot = {
  /** v_m */
  readonly memoryCount: number;
  /** v_cm */
  readonly compressedMemoryCount: number;
  readonly tensors: Readonly<Record<string, TensorData>>;
};
