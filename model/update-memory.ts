import * as tf from '@tensorflow/tfjs';
import {compress} from './compress.ts';
import type {EvictedRows} from './compressors/evicted-rows.ts';
import {evictionWindows} from './eviction-windows.ts';
import {joinSlices} from './join-slices.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {stopGradient} from './stop-gradient.ts';
import type {UpdatePlan} from './update-plan.ts';

/** What a layer's attention leaves for the memory update. */
export type SegmentRows = {
  /** Normalised inputs of the attention. [B, n, d] */
  readonly rows: tf.Tensor3D;
  /** Scaled queries, without biases. [H, B, n, k] */
  readonly queries: tf.Tensor4D;
  /** [H, B, n, k] each */
  readonly keys: tf.Tensor4D;
  readonly values: tf.Tensor4D;
  /** Most-used only: attention that memory and segment received from this segment's queries. [B, n_m + n] */
  readonly attention?: tf.Tensor2D;
};

/** What one layer compressed, and the queries of the segment that went before. */
export type LayerCompression = {
  readonly evicted: EvictedRows;
  /** Scaled queries, without biases. [H, B, n, k] */
  readonly queries: tf.Tensor4D;
};

export type UpdateMemoryOptions = {
  readonly config: ModelConfig;
  readonly weights: LayerWeights;
  readonly plan: UpdatePlan;
  readonly kernels: Kernels;
};

/** Moves one layer's memory on by a segment (docs/model.md, "Memory update"). */
export function updateMemory(
  memory: LayerMemory,
  segment: SegmentRows,
  {config, weights, plan, kernels}: UpdateMemoryOptions,
): {memory: LayerMemory; compression?: LayerCompression} {
  const {memoryLength, compressedMemoryLength} = config;
  const available = memoryLength + config.segmentLength; // T
  const newest = {start: available - memoryLength, size: memoryLength};
  const kept: LayerMemory =
    memoryLength > 0
      ? {
          rows: kernels.appendSlots(memory.rows!, segment.rows), // [B, n_m, d]
          keys: kernels.appendSlots(memory.keys!, segment.keys), // [H, B, n_m, k]
          values: kernels.appendSlots(memory.values!, segment.values),
        }
      : {};
  if (compressedMemoryLength === 0) return {memory: kept};

  const mass = totalMass(memory, segment); // [B, T]
  const evicted: EvictedRows = {
    rows: evictedRows([memory.rows, segment.rows], config, plan), // [B, E·c + a, d]
    rate: config.compressionRate,
    ...(mass !== undefined && {attention: evictedAttention(mass, config, plan), windows: plan.evictedWindows!}),
  };
  const compressed = compress(evicted, {config, weights, kernels}); // [B, E, d]
  const [keys, values] = kernels.projectHeads(compressed, weights.keyValue, config.heads); // [H, B, E, k] each
  return {
    memory: {
      ...kept,
      ...(mass !== undefined && memoryLength > 0 && {attentionMass: joinSlices([mass], {axis: 1, ...newest})}), // [B, n_m]
      compressedRows: append(memory.compressedRows!, compressed, {picks: plan.compressed, kernels}),
      compressedKeys: append(memory.compressedKeys!, keys!, {picks: plan.compressedProjections, kernels}),
      compressedValues: append(memory.compressedValues!, values!, {picks: plan.compressedProjections, kernels}),
    },
    compression: {evicted, queries: segment.queries},
  };
}

/** Attention mass of all available rows after this segment. [B, T] */
function totalMass(memory: LayerMemory, segment: SegmentRows): tf.Tensor2D | undefined {
  if (segment.attention === undefined) return undefined;
  // Which rows are kept is no differentiable matter.
  const attention = stopGradient(segment.attention);
  if (memory.attentionMass === undefined) return attention;
  const n = segment.rows.shape[1];
  return tf.add(
    attention,
    tf.pad(memory.attentionMass, [
      [0, 0],
      [0, n],
    ]),
  );
}

function evictedRows(parts: readonly (tf.Tensor3D | undefined)[], config: ModelConfig, plan: UpdatePlan): tf.Tensor3D {
  const {segmentLength: n, memoryLength, modelWidth, compressionRate} = config;
  const {windows, lookAhead} = evictionWindows(config);
  if (plan.evicted === undefined) return joinSlices(parts, {axis: 1, start: 0, size: n + lookAhead});
  const all = joinSlices(parts, {axis: 1, start: 0, size: memoryLength + n}); // [B, T, d]
  const picked = tf.gather(tf.reshape(all, [-1, modelWidth]), plan.evicted);
  return tf.reshape(picked, [-1, windows * compressionRate + lookAhead, modelWidth]);
}

/** Mean attention over the queries that could see each evicted row, −1 where none is evicted. [B, E·c] */
function evictedAttention(mass: tf.Tensor2D, config: ModelConfig, plan: UpdatePlan): tf.Tensor2D {
  const available = config.memoryLength + config.segmentLength; // T
  // The newest row was seen by one query, its own, the one before it by two, and so on.
  const mean = tf.div(mass, tf.range(available, 0, -1)) as tf.Tensor2D; // [B, T]
  const size = evictionWindows(config).windows * config.compressionRate; // E·c
  const candidates =
    plan.evicted === undefined
      ? tf.slice(mean, [0, 0], [-1, size])
      : tf.reshape(tf.gather(tf.reshape(mean, [-1]), plan.evicted), [-1, size]);
  return tf.where(plan.isEvicted!, candidates, tf.scalar(-1)) as tf.Tensor2D;
}

/** The last n_cm slots of memory and new slots; slots [B, S, d] or [H, B, S, k]. */
function append<T extends tf.Tensor>(
  memory: T,
  added: T,
  {picks, kernels}: {picks: tf.Tensor1D | undefined; kernels: Kernels},
): T {
  if (picks === undefined) return kernels.appendSlots(memory, added);
  const axis = memory.rank - 2;
  const all = tf.concat([memory, added] as tf.Tensor[], axis);
  return tf.reshape(tf.gather(tf.reshape(all, [-1, memory.shape[axis + 1]!]), picks), memory.shape) as T;
}
