import * as tf from '@tensorflow/tfjs';
import {NumericalError} from '../errors.ts';
import {CompressiveTransformer} from './compressive-transformer.ts';
import {disposeTensors} from './dispose-tensors.ts';
import type {Memory} from './memory.ts';
import {memoryBytes} from './memory-bytes.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import type {Model, StepResult, StepRow} from './model.ts';
import type {ModelConfig} from './model-config.ts';
import {OpenMemories} from './open-memories.ts';
import {snapshotMemories} from './snapshot-memories.ts';
import {tidy} from './tidy.ts';

export type LocalModelOptions = {
  readonly name: string;
  readonly fingerprint: string;
  readonly config: ModelConfig;
  /** Named and shaped as in docs/model.md. */
  readonly weights: ReadonlyMap<string, TensorData>;
};

/** A model in this thread, on whichever tfjs backend is set. Its steps block the thread. */
export class LocalModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly config: ModelConfig;
  readonly memoryBytes: number;
  readonly #network: CompressiveTransformer;
  readonly #memories = new OpenMemories();
  readonly #empty: Memory;

  constructor({name, fingerprint, config, weights}: LocalModelOptions) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.config = config;
    this.memoryBytes = memoryBytes(config);
    this.#network = new CompressiveTransformer(config, weights);
    this.#empty = this.#network.emptyMemory(1);
  }

  async step(rows: readonly StepRow[]): Promise<StepResult[]> {
    checkRows(rows, this.config);
    const results = new Map<string, StepResult>();
    const full = rows.filter(({tokens}) => tokens.length === this.config.segmentLength);
    const unfilled = rows.filter(({tokens}) => tokens.length < this.config.segmentLength);
    // Rows that only look go first: should they fail, no memory has advanced.
    for (const part of [unfilled, full]) {
      if (part.length > 0) this.#stepAlike(part, {advance: part === full, results});
    }
    return rows.map(({memory}) => results.get(memory)!);
  }

  async restore(memory: string, snapshot: MemorySnapshot): Promise<void> {
    this.#memories.set([memory], this.#network.restoreMemory(snapshot));
  }

  async snapshot(memories: readonly string[]): Promise<MemorySnapshot[]> {
    const snapshots = new Map<string, MemorySnapshot>();
    for (const [batch, rows] of this.#memories.batches(memories)) {
      const taken = snapshotMemories(
        batch,
        rows.map(({row}) => row),
      );
      for (const [index, {key}] of rows.entries()) snapshots.set(key, taken[index]!);
    }
    return memories.map(memory => snapshots.get(memory) ?? snapshotMemories(this.#empty, [0])[0]!);
  }

  async fork(memory: string, copy: string): Promise<void> {
    this.#memories.fork(memory, copy);
  }

  async release(memories: readonly string[]): Promise<void> {
    this.#memories.release(memories);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#memories[Symbol.dispose]();
    disposeTensors(this.#empty);
    this.#network[Symbol.dispose]();
  }

  #stepAlike(rows: readonly StepRow[], {advance, results}: {advance: boolean; results: Map<string, StepResult>}): void {
    const {segmentLength: n, modelWidth: d} = this.config;
    const keys = rows.map(({memory}) => memory);
    const tokens = new Int32Array(rows.length * n);
    const present = new Float32Array(rows.length * n);
    for (const [index, row] of rows.entries()) {
      tokens.set(row.tokens, index * n);
      present.fill(1, index * n, index * n + row.tokens.length);
    }
    const {sums, bits, memory} = this.#memories.borrow(keys, this.#empty, before =>
      tidy(() => {
        const step = this.#network.step(tf.tensor2d(tokens, [keys.length, n], 'int32'), before, {advance});
        const mask = tf.tensor3d(present, [keys.length, 1, n]);
        return {sums: tf.matMul(mask, step.hidden), bits: step.surprisal, memory: step.memory}; // [B, 1, d], [B, n]
      }),
    );
    const hiddenSums = sums.dataSync() as Float32Array;
    const surprisals = bits.dataSync() as Float32Array;
    disposeTensors([sums, bits]);
    const given = rows.map((row, index) => ({
      hiddenSum: hiddenSums.slice(index * d, (index + 1) * d),
      surprisal: surprisals.slice(index * n, index * n + row.tokens.length),
    }));
    const broken = given.findIndex(({hiddenSum, surprisal}) => !allFinite(hiddenSum) || !allFinite(surprisal));
    if (broken !== -1) {
      if (memory !== undefined) disposeTensors(memory);
      throw new NumericalError(
        `Cannot read a segment of "${keys[broken]}" as the network's output must be finite: check the weights of model "${this.name}"`,
      );
    }
    for (const [index, key] of keys.entries()) results.set(key, given[index]!);
    if (memory !== undefined) this.#memories.set(keys, memory);
  }
}

function checkRows(rows: readonly StepRow[], {segmentLength, vocabularySize}: ModelConfig): void {
  const seen = new Set<string>();
  for (const {memory, tokens} of rows) {
    if (seen.has(memory)) throw new RangeError(`Cannot step as each memory may have one row: "${memory}" has two`);
    seen.add(memory);
    if (tokens.length < 1 || tokens.length > segmentLength) {
      throw new RangeError(
        `Cannot step "${memory}" as a row must hold 1 to ${segmentLength} tokens: current value is ${tokens.length}`,
      );
    }
    const strange = tokens.find(token => token < 0 || token >= vocabularySize);
    if (strange !== undefined) {
      throw new RangeError(
        `Cannot step "${memory}" as tokens must be from 0 to ${vocabularySize - 1}: current value is ${strange}`,
      );
    }
  }
}

function allFinite(values: Float32Array): boolean {
  // Adding up is faster than testing each: one value that is not finite makes the sum so.
  let sum = 0;
  for (const value of values) sum += value;
  return Number.isFinite(sum);
}
