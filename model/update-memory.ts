import {compress} from './compress.ts';
import type {EvictedRows} from './compressors/evicted-rows.ts';
import {evictionWindows} from './eviction-windows.ts';
import {joinSlices} from './join-slices.ts';
import type {Kernels} from './kernels/kernels.ts';
import type {LayerWeights} from './layer-weights.ts';
import type {LayerMemory} from './memory.ts';
import type {ModelConfig} from './model-config.ts';
import {stopGradient} from './stop-gradient.ts';
import {tf} from './tf.ts';
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
  const kept: LayerMemory = memoryLength > 0 ? append(memory, segment, kernels) : {};
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
      ...appendCompressed(memory, {rows: compressed, keys: keys!, values: values!}, {plan, kernels}),
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

type NewSlots = Required<Pick<LayerMemory, 'rows' | 'keys' | 'values'>>;

/** The last n_m slots of memory and segment. */
function append(memory: LayerMemory, added: NewSlots, kernels: Kernels): LayerMemory {
  const [rows, keys, values] = kernels.appendSlots(
    [memory.rows!, memory.keys!, memory.values!],
    [added.rows, added.keys, added.values],
  );
  return {rows, keys, values};
}

/** The last n_cm slots of compressed memory and of what each document compressed. */
function appendCompressed(
  {compressedRows, compressedKeys, compressedValues}: LayerMemory,
  added: NewSlots,
  {plan, kernels}: {plan: UpdatePlan; kernels: Kernels},
): LayerMemory {
  const memories = [compressedRows!, compressedKeys!, compressedValues!] as const;
  const {compressed, compressedProjections: projections} = plan;
  const [rows, keys, values] =
    compressed === undefined || projections === undefined
      ? kernels.appendSlots(memories, [added.rows, added.keys, added.values])
      : [
          pick(memories[0], added.rows, compressed),
          pick(memories[1], added.keys, projections),
          pick(memories[2], added.values, projections),
        ];
  return {compressedRows: rows, compressedKeys: keys, compressedValues: values};
}

/** Slots of memory and of what is added; slots [B, S, d] or [H, B, S, k]. */
function pick<T extends tf.Tensor>(memory: T, added: T, picks: tf.Tensor1D): T {
  const axis = memory.rank - 2;
  const all = tf.concat([memory, added] as tf.Tensor[], axis);
  return tf.reshape(tf.gather(tf.reshape(all, [-1, memory.shape[axis + 1]!]), picks), memory.shape) as T;
}
