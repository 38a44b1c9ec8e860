import {disposeTensors} from '../model/dispose-tensors.ts';
import {type MemoryCounts, updateCounts} from '../model/memory-counts.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import type {RememberedRows} from '../model/project-memory.ts';
import type {RowSegment} from './documents/corpus-rows.ts';
import {emptyRemembered} from './empty-remembered.ts';
import {padSegments} from './pad-segments.ts';
import {readTensor} from './read-tensor.ts';
import {type SegmentTensorsOptions, segmentTensors} from './segment-tensors.ts';
import {takeTensor} from './take-tensor.ts';
import type {TrainingSegment} from './training-loss.ts';

export type MicroBatchOptions = {
  readonly config: ModelConfig;
  /** Rows. */
  readonly size: number;
  /** Which one of a batch it is, from 0. */
  readonly index: number;
  /** Memories that {@link MicroBatch.read} gave, with their filled slots; without it nothing is remembered. */
  readonly saved?: {readonly tensors: ReadonlyMap<string, TensorData>; readonly counts: readonly MemoryCounts[]};
};

/** What the documents remember whose rows go through the engine together. */
export class MicroBatch implements Disposable {
  readonly #config: ModelConfig;
  readonly #index: number;
  #counts: readonly MemoryCounts[];
  #layers: readonly RememberedRows[];

  /** @throws {ModelError} If a tensor is missing or has another shape. */
  constructor({config, size, index, saved}: MicroBatchOptions) {
    this.#config = config;
    this.#index = index;
    this.#counts = saved?.counts ?? Array.from({length: size}, () => ({memory: 0, compressed: 0}));
    this.#layers = emptyRemembered(size, config);
    if (saved === undefined) return;
    const empty = this.#layers;
    this.#layers = empty.map((layer, number) =>
      Object.fromEntries(
        Object.entries(layer).map(([name, tensor]) => [
          name,
          takeTensor(saved.tensors, this.#tensorName(number, name), tensor.shape),
        ]),
      ),
    );
    disposeTensors(empty);
  }

  /** Filled slots of each row. */
  get counts(): readonly MemoryCounts[] {
    return this.#counts;
  }

  /** Memories, layer by layer. */
  get layers(): readonly RememberedRows[] {
    return this.#layers;
  }

  /** How many rows will compress something once they have read these segments. */
  evicting(segments: readonly RowSegment[]): number {
    return resetCounts(this.#counts, segments).filter(
      (count, row) =>
        updateCounts(count, this.#config).evicted > 0 && segments[row]!.tokens.length === this.#config.segmentLength,
    ).length;
  }

  /**
   * Brings segments into the engine.
   *
   * @param rows Rows of each segment, one after the other.
   * @returns The segments, and the filled slots once they will have been read.
   */
  prepare(
    rows: readonly (readonly RowSegment[])[],
    weights: Omit<SegmentTensorsOptions, 'config'>,
  ): {segments: TrainingSegment[]; counts: readonly MemoryCounts[]} {
    let counts = this.#counts;
    const segments = rows.map(segment => {
      counts = resetCounts(counts, segment);
      const tensors = segmentTensors(
        {...padSegments(segment, this.#config.segmentLength), counts},
        {config: this.#config, ...weights},
      );
      counts = counts.map(count => updateCounts(count, this.#config).counts);
      return tensors;
    });
    return {segments, counts};
  }

  /** Takes over what a step gave. */
  replace(layers: readonly RememberedRows[], counts: readonly MemoryCounts[]): void {
    disposeTensors(this.#layers);
    this.#layers = layers;
    this.#counts = counts;
  }

  /** Memories by name, in this process's memory. */
  read(): Map<string, TensorData> {
    return new Map(
      this.#layers.flatMap((layer, number) =>
        Object.entries(layer).map(([name, tensor]): [string, TensorData] => [
          this.#tensorName(number, name),
          readTensor(tensor),
        ]),
      ),
    );
  }

  [Symbol.dispose](): void {
    disposeTensors(this.#layers);
  }

  #tensorName(layer: number, name: string): string {
    return `memory.${this.#index}.${layer}.${name}`;
  }
}

/** Rows whose document begins remember nothing. */
function resetCounts(counts: readonly MemoryCounts[], segments: readonly RowSegment[]): MemoryCounts[] {
  return counts.map((count, row) => (segments[row]!.first ? {memory: 0, compressed: 0} : count));
}
