import {type MemoryCounts, updateCounts} from '../model/memory-counts.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {tf} from '../model/tf.ts';
import {planUpdate} from '../model/update-plan.ts';
import type {TrainingSegment} from './training-loss.ts';

/** One segment of each document, outside the engine. */
export type SegmentRows = {
  /** [B · n] */
  readonly tokens: Int32Array;
  /** The token after each; what stands where none is counts nothing. [B · n] */
  readonly targets: Int32Array;
  /** 1 where there is a target, else 0. [B · n] */
  readonly present: Float32Array;
  /** Whether each document fills its segment: one that does not moves no memory on, and so compresses nothing. [B] */
  readonly full: readonly boolean[];
  /** Filled slots before the segment. [B] */
  readonly counts: readonly MemoryCounts[];
};

export type SegmentTensorsOptions = {
  readonly config: ModelConfig;
  /** What one target counts. */
  readonly targetWeight: number;
  /** What the compression loss of one document counts that evicts something. */
  readonly documentWeight: number;
};

/** Brings a segment of each document into the engine. */
export function segmentTensors(
  {tokens, targets, present, full, counts}: SegmentRows,
  {config, targetWeight, documentWeight}: SegmentTensorsOptions,
): TrainingSegment {
  const batch = counts.length;
  const shape: [number, number] = [batch, config.segmentLength];
  const evicted = counts.map(count => updateCounts(count, config).evicted);
  return {
    tokens: tf.tensor2d(tokens, shape, 'int32'),
    targets: tf.tensor2d(targets, shape, 'int32'),
    targetWeights: tf.tensor2d(
      present.map(count => count * targetWeight),
      shape,
    ),
    counts: tf.tensor2d(
      counts.map(({memory, compressed}) => [memory, compressed]),
      [batch, 2],
      'int32',
    ),
    plan: planUpdate(counts, config),
    evicted: tf.tensor1d(evicted),
    documentWeights: tf.tensor1d(evicted.map((rows, row) => (rows > 0 && full[row] ? documentWeight : 0))),
  };
}
