import {setTimeout as delay} from 'node:timers/promises';
import type {MemorySnapshot} from '../../model/memory-snapshot.ts';
import type {Model, StepResult, StepRow} from '../../model/model.ts';
import type {ModelConfig} from '../../model/model-config.ts';

export type ToyModelOptions = {
  /** @default 4096 */
  readonly segmentLength?: number;
  /** Size of a memory, in numbers. @default 64 */
  readonly memoryNumbers?: number;
  /** How long a step takes, in milliseconds; asked before each. @default 0 */
  readonly stepMs?: number | (() => number);
  /** Whether steps wait for one another, as those of a real engine do. @default false */
  readonly oneAtATime?: boolean;
};

/**
 * A model of integers behind the contract of real ones: its memory is a digest of all segments in order, so that one that is lost,
 * doubled, out of order or read with the wrong memory shows in all later results, to the bit.
 */
export class ToyModel implements Model {
  readonly name = 'toy';
  readonly fingerprint = 'toy-fingerprint';
  readonly summary = undefined;
  readonly memoryBytes: number;
  readonly config: ModelConfig;
  readonly #stepMs: () => number;
  readonly #oneAtATime: boolean;
  readonly #memoryNumbers: number;
  #last: Promise<void> = Promise.resolve();
  readonly #memories = new Map<string, number>();

  constructor({segmentLength = 4096, memoryNumbers = 64, stepMs = 0, oneAtATime = false}: ToyModelOptions = {}) {
    this.#stepMs = typeof stepMs === 'number' ? () => stepMs : stepMs;
    this.#oneAtATime = oneAtATime;
    this.#memoryNumbers = memoryNumbers;
    this.memoryBytes = memoryNumbers * 4;
    this.config = {
      segmentLength,
      memoryLength: segmentLength,
      compressedMemoryLength: segmentLength,
      compressionRate: 1,
      compressor: 'mean-pool',
      layers: 1,
      heads: 1,
      modelWidth: 4,
      feedForwardWidth: 4,
      vocabularySize: 256,
    };
  }

  async step(rows: readonly StepRow[]): Promise<StepResult[]> {
    const results = rows.map(({memory, tokens}) => {
      const digest = toyDigest(this.#memories.get(memory) ?? 0, tokens);
      if (tokens.length === this.config.segmentLength) this.#memories.set(memory, digest);
      return {hiddenSum: toyHidden(digest), surprisal: new Float32Array(tokens.length).fill(8)};
    });
    const ms = this.#stepMs();
    if (ms > 0) {
      const slept = this.#oneAtATime ? this.#last.then(() => delay(ms)) : delay(ms);
      this.#last = slept;
      await slept;
    }
    return results;
  }

  async restore(memory: string, {tensors}: MemorySnapshot): Promise<void> {
    const [low, high] = tensors.memory!.data;
    this.#memories.set(memory, low! + high! * 65536);
  }

  async meanCompressed(memories: readonly string[]): Promise<Float32Array[]> {
    return memories.map(() => new Float32Array());
  }

  async snapshot(memories: readonly string[]): Promise<MemorySnapshot[]> {
    return memories.map(memory => {
      const digest = this.#memories.get(memory)!;
      // Every number differs, so that a chunk in the wrong place would show.
      const data = Float32Array.from({length: this.#memoryNumbers}, (_, i) => (digest + i) % 65536);
      data[0] = digest % 65536;
      data[1] = Math.floor(digest / 65536);
      return {memoryCount: 1, compressedMemoryCount: 0, tensors: {memory: {shape: [1, 1, data.length], data}}};
    });
  }

  async fork(memory: string, copy: string): Promise<void> {
    const digest = this.#memories.get(memory);
    if (digest === undefined) this.#memories.delete(copy);
    else this.#memories.set(copy, digest);
  }

  async release(memories: readonly string[]): Promise<void> {
    for (const memory of memories) this.#memories.delete(memory);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** FNV-1a over the tokens, going on from an earlier digest. */
export function toyDigest(before: number, tokens: ArrayLike<number>): number {
  let digest = (before ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < tokens.length; i++) digest = Math.imul(digest ^ tokens[i]!, 0x01000193) >>> 0;
  return digest;
}

export function toyHidden(digest: number): Float32Array {
  return Float32Array.from([1, digest & 0x3ff, (digest >>> 10) & 0x3ff, (digest >>> 20) & 0xfff]);
}
