import {NumericalError} from '../errors.ts';
import {CompressiveTransformer} from './compressive-transformer.ts';
import {disposeTensors} from './dispose-tensors.ts';
import {meanCompressedRows} from './mean-compressed-rows.ts';
import type {Memory} from './memory.ts';
import {memoryBytes} from './memory-bytes.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import type {Model, StepResult, StepRow} from './model.ts';
import type {ModelConfig} from './model-config.ts';
import {OpenMemories} from './open-memories.ts';
import type {Precision, PrecisionChoice} from './precision.ts';
import {StepSizes} from './step-sizes.ts';
import type {SummaryHead} from './summary/summary-head.ts';
import {tf} from './tf.ts';
import {tidy} from './tidy.ts';

export type LocalModelOptions = {
  readonly name: string;
  readonly fingerprint: string;
  readonly config: ModelConfig;
  /** Named and shaped as in docs/model.md. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** What makes a document's vector. @default the mean of its final hidden vectors */
  readonly summary?: SummaryHead | undefined;
  /**
   * Whether steps are compiled where the engine can. Results then differ from those that are not in their last bits.
   *
   * @default true
   */
  readonly compile?: boolean;
  /**
   * How matrix products multiply. Memories of all precisions go with all others.
   *
   * @default 'float32'
   */
  readonly precision?: PrecisionChoice;
};

/** What one batch gave; its memory is kept once all batches of a step have proved sound. */
type BatchOutcome = {
  readonly results: ReadonlyMap<string, StepResult>;
  /** Keys by row; undefined where a row is nobody's, or only looked. */
  readonly keys: readonly (string | undefined)[];
  readonly memory: Memory | undefined;
};

/** A model in this thread, on whichever tfjs backend is set. Its steps block the thread. */
export class LocalModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly config: ModelConfig;
  readonly summary: SummaryHead | undefined;
  readonly memoryBytes: number;
  readonly #network: CompressiveTransformer;
  readonly #memories: OpenMemories;
  readonly #empty: Memory;
  readonly #compile: boolean;
  readonly #sizes: StepSizes;

  constructor({name, fingerprint, config, weights, summary, compile = true, precision = 'float32'}: LocalModelOptions) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.config = config;
    this.summary = summary;
    this.memoryBytes = memoryBytes(config);
    this.#compile = compile;
    this.#network = new CompressiveTransformer(config, weights, {compiled: compile, precision});
    this.#memories = new OpenMemories(rows => this.#network.gatherMemories(rows));
    this.#sizes = new StepSizes({segmentLength: config.segmentLength, compiled: compile});
    this.#empty = this.#network.emptyMemory(1);
  }

  /** How matrix products multiply; of `auto`, what it came to. */
  get precision(): Precision {
    return this.#network.precision;
  }

  async step(rows: readonly StepRow[]): Promise<StepResult[]> {
    checkRows(rows, this.config);
    const byKey = new Map(rows.map(row => [row.memory, row]));
    const waiting = this.#memories.arrange(rows.map(({memory}) => memory)).map(key => byKey.get(key)!);
    const outcomes: BatchOutcome[] = [];
    try {
      for (const size of this.#sizes.take(rows.length)) outcomes.push(this.#stepBatch(waiting.splice(0, size), size));
    } catch (error) {
      for (const {memory} of outcomes) if (memory !== undefined) disposeTensors(memory);
      throw error;
    }
    const results = new Map<string, StepResult>();
    for (const {results: given, keys, memory} of outcomes) {
      for (const [key, result] of given) results.set(key, result);
      if (memory !== undefined) this.#memories.set(keys, memory);
    }
    return rows.map(({memory}) => results.get(memory)!);
  }

  async restore(memory: string, snapshot: MemorySnapshot): Promise<void> {
    this.#memories.set([memory], this.#network.restoreMemory(snapshot));
  }

  async meanCompressed(memories: readonly string[]): Promise<Float32Array[]> {
    const means = this.#read(memories, meanCompressedRows);
    return memories.map(memory => means.get(memory) ?? new Float32Array());
  }

  async snapshot(memories: readonly string[]): Promise<MemorySnapshot[]> {
    const copy = (batch: Memory, rows: readonly number[]) => this.#network.snapshotMemories(batch, rows);
    const snapshots = this.#read(memories, copy);
    return memories.map(memory => snapshots.get(memory) ?? copy(this.#empty, [0])[0]!);
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

  /** What is read of open memories, each batch that holds some of them once. */
  #read<T>(memories: readonly string[], read: (batch: Memory, rows: readonly number[]) => T[]): Map<string, T> {
    const found = new Map<string, T>();
    for (const [batch, rows] of this.#memories.batches(memories)) {
      const values = read(
        batch,
        rows.map(({row}) => row),
      );
      for (const [index, {key}] of rows.entries()) found.set(key, values[index]!);
    }
    return found;
  }

  /** @param size At least as many as rows; more are padded. */
  #stepBatch(rows: readonly StepRow[], size: number): BatchOutcome {
    const {segmentLength: n, modelWidth: d} = this.config;
    const layout = this.#memories.layOut(
      rows.map(({memory}) => memory),
      size,
    );
    const places = new Map(layout.map((key, place) => [key, place]));
    const tokens = new Int32Array(size * n);
    const lengths = new Int32Array(size);
    for (const row of rows) {
      const place = places.get(row.memory)!;
      tokens.set(row.tokens, place * n);
      lengths[place] = row.tokens.length;
    }
    const advances = new Set(rows.filter(row => row.tokens.length === n).map(({memory}) => memory));
    // A compiled step serves both, so that a batch size is compiled once.
    const advance = this.#compile || advances.size > 0;
    const {sums, bits, memory} = this.#memories.borrow(layout, this.#empty, before =>
      tidy(() => {
        const step = this.#network.step(tf.tensor2d(tokens, [size, n], 'int32'), before, {advance});
        const sums = this.#network.sumTokens(step.hidden, tf.tensor1d(lengths, 'int32')); // [B, d]
        return {sums, bits: step.surprisal, memory: step.memory};
      }),
    );
    const hiddenSums = sums.dataSync() as Float32Array;
    const surprisals = bits.dataSync() as Float32Array;
    disposeTensors([sums, bits]);
    const results = rows.map(row => {
      const place = places.get(row.memory)!;
      return {
        hiddenSum: hiddenSums.slice(place * d, (place + 1) * d),
        surprisal: surprisals.slice(place * n, place * n + row.tokens.length),
      };
    });
    const broken = results.findIndex(({hiddenSum, surprisal}) => !allFinite(hiddenSum) || !allFinite(surprisal));
    if (memory !== undefined && (broken !== -1 || advances.size === 0)) disposeTensors(memory);
    if (broken !== -1) {
      throw new NumericalError(
        `Cannot read a segment of "${rows[broken]!.memory}" as the network's output must be finite: check the weights of model "${this.name}"`,
      );
    }
    return {
      results: new Map(rows.map(({memory: key}, index) => [key, results[index]!])),
      keys: layout.map(key => (key !== undefined && advances.has(key) ? key : undefined)),
      memory: advances.size > 0 ? memory : undefined,
    };
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
