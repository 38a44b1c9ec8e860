import type {Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs';
import {EngineUnavailableError, ModelError} from '../errors.ts';
import {canonicalJson} from './canonical-json.ts';
import {type CompiledFunction, compile} from './compile/compile.ts';
import type {SpecsOf} from './compile/tensor-spec.ts';
import {computeStep, type StepInputs, type StepOutputs} from './compute-step.ts';
import {disposeTensors} from './dispose-tensors.ts';
import {emptyMemory} from './empty-memory.ts';
import {favoursBfloat16} from './engine/favours-bfloat16.ts';
import {gatherMemories, type MemoryRow} from './gather-memories.ts';
import {keepTensors} from './keep-tensors.ts';
import {composedKernels} from './kernels/composed-kernels.ts';
import {fusedKernels} from './kernels/fused-kernels.ts';
import type {Kernels} from './kernels/kernels.ts';
import {listTensors} from './list-tensors.ts';
import type {Memory} from './memory.ts';
import {type MemoryCounts, updateCounts} from './memory-counts.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import type {ModelConfig} from './model-config.ts';
import type {Precision, PrecisionChoice} from './precision.ts';
import {type PreparedWeights, prepareWeights} from './prepare-weights.ts';
import {restoreMemory} from './restore-memory.ts';
import {snapshotMemories} from './snapshot-memories.ts';
import {tf} from './tf.ts';
import {tidy} from './tidy.ts';
import {planUpdate, type UpdatePlan} from './update-plan.ts';
import {validateModelConfig} from './validate-model-config.ts';

/*
 * Letters of all shapes in model/:
 *
 * B  documents in a batch          n     tokens of a segment       l  layers
 * d  model width                   n_m   memory slots              H  heads
 * f  feed-forward width            n_cm  compressed memory slots   k  width of a head, d / H
 * V  vocabulary                    c     compression rate          K  keys a query sees, n_cm + n_m + n
 * E  windows of c evicted rows     T     available rows, n_m + n   S  any number of rows
 */

/** Counts of a batch of memories, and what an update does to them. */
type PreparedCounts = {readonly counts: Tensor2D; readonly plan: UpdatePlan};

/** What one step gave. */
export type Step = {
  /** Final hidden vectors. [B, n, d] */
  readonly hidden: Tensor3D;
  /** Surprisal of each token given everything before it, in bits. [B, n] */
  readonly surprisal: Tensor2D;
  /** The memory after the segment; absent if the step was only to look. */
  readonly memory?: Memory;
};

/**
 * The Compressive Transformer (Rae et al. 2019) at inference, on whichever tfjs backend is set. With `compressedMemoryLength` 0 it is
 * Transformer-XL (Dai et al. 2019). Equations: docs/model.md.
 *
 * Weights are frozen: projections of memory are kept beside its rows, and position keys are projected once.
 */
export class CompressiveTransformer implements Disposable {
  readonly config: ModelConfig;
  /** How matrix products multiply. */
  readonly precision: Precision;
  readonly #weights: PreparedWeights;
  readonly #kernels: Kernels;
  readonly #compile: boolean;
  readonly #cached: boolean;
  readonly #compiled = new Map<string, CompiledFunction<StepInputs, StepOutputs>>();
  readonly #prepared = new Map<number, {readonly key: string; readonly tensors: PreparedCounts}>();

  /**
   * @param weights Named and shaped as in docs/model.md.
   * @param options.fused Whether to use the engine's fused kernels where it has them. @default true
   * @param options.precision How matrix products multiply; `bfloat16` needs fused kernels and a processor that has it. @default 'float32'
   * @param options.compiled Whether steps are compiled where the engine can, once for each batch size. @default false
   * @param options.cached Whether compiled steps are kept in the user's cache folder for later processes. @default true
   * @throws {RangeError} If a size is out of range, or sizes do not go together.
   * @throws {ModelError} If a weight is missing.
   * @throws {EngineUnavailableError} If the engine does not multiply in the precision.
   */
  constructor(
    config: ModelConfig,
    weights: ReadonlyMap<string, TensorData>,
    {
      fused = true,
      precision = 'float32',
      compiled = false,
      cached = true,
    }: {fused?: boolean; precision?: PrecisionChoice; compiled?: boolean; cached?: boolean} = {},
  ) {
    validateModelConfig(config);
    this.config = config;
    this.#compile = compiled;
    this.#cached = cached;
    const halves = precision === 'bfloat16' || (precision === 'auto' && favoursBfloat16());
    const halved = fused && halves ? fusedKernels('bfloat16') : undefined;
    if (halved === undefined && precision === 'bfloat16') {
      throw new EngineUnavailableError(
        `Cannot multiply in bfloat16 as that takes the native engine of "palimpsest native install" on a processor with AVX512-BF16: use float32`,
      );
    }
    this.precision = halved === undefined ? 'float32' : 'bfloat16';
    this.#kernels = halved ?? (fused ? fusedKernels() : undefined) ?? composedKernels;
    this.#weights = tidy(() =>
      prepareWeights(config, {
        weight: name => {
          const weight = weights.get(name);
          if (weight === undefined) throw new ModelError(`Cannot construct the model as it must have weight "${name}"`);
          return tf.tensor(weight.data, weight.shape.slice());
        },
        kernels: this.#kernels,
      }),
    );
  }

  /** The memory of B documents before their first token. */
  emptyMemory(batch: number): Memory {
    return emptyMemory(batch, this.config);
  }

  /**
   * Reads one segment of each document.
   *
   * A document of fewer than n tokens is filled up with any tokens at the end; what they give means nothing, and the step must then not
   * advance.
   *
   * @param tokens int32 [B, n]
   * @param advance Whether to give the memory after the segment. @default true
   */
  step(tokens: Tensor2D, memory: Memory, {advance = true}: {advance?: boolean} = {}): Step {
    const batch = memory.counts.length;
    const {counts, plan} = this.#prepare(memory.counts);
    const {lastHidden, layers} = memory;
    const inputs = {tokens, counts, lastHidden, layers, ...(advance && {plan})};
    const {memory: after, ...step} = this.#compute(batch, advance, inputs)(inputs);
    return {
      ...step,
      ...(after !== undefined && {
        memory: {...after, counts: memory.counts.map(count => updateCounts(count, this.config).counts)},
      }),
    };
  }

  /** Sum of the final hidden vectors of each document's first tokens. hidden [B, n, d], lengths int32 [B] → [B, d] */
  sumTokens(hidden: Tensor3D, lengths: Tensor1D): Tensor2D {
    return tidy(() => this.#kernels.sumTokens(hidden, lengths));
  }

  /** Brings the memory of one document back into the engine. Throws as {@link restoreMemory}. */
  restoreMemory(snapshot: MemorySnapshot): Memory {
    return restoreMemory(snapshot, {config: this.config, weights: this.#weights, kernels: this.#kernels});
  }

  /** Copies the memories of some documents of a batch out of the engine. */
  snapshotMemories(memory: Memory, rows: readonly number[]): MemorySnapshot[] {
    return snapshotMemories(memory, rows, this.#kernels);
  }

  /** Puts copies of the memories of documents of several batches side by side into a new one. */
  gatherMemories(rows: readonly MemoryRow[]): Memory {
    return gatherMemories(rows, this.#kernels);
  }

  /** Scores of every next token. hidden [S, d] → [S, V] */
  logits(hidden: Tensor2D): Tensor2D {
    return this.#kernels.dense(hidden, this.#weights.vocabulary);
  }

  [Symbol.dispose](): void {
    disposeTensors(this.#weights);
    for (const compiled of this.#compiled.values()) compiled[Symbol.dispose]();
    this.#compiled.clear();
    for (const {tensors} of this.#prepared.values()) disposeTensors(tensors);
    this.#prepared.clear();
  }

  /** The step for a batch size. */
  #compute(batch: number, advance: boolean, inputs: StepInputs): (inputs: StepInputs) => StepOutputs {
    const compute = (given: StepInputs) =>
      computeStep(given, {config: this.config, weights: this.#weights, kernels: this.#kernels});
    if (!this.#compile) return given => tidy(() => compute(given));
    const key = `${batch} ${advance}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const kernels = this.#kernels === composedKernels ? 'composed' : `fused ${this.precision}`;
      compiled = compile(compute, {
        inputs: inputs as SpecsOf<StepInputs>,
        constants: listTensors(this.#weights),
        ...(this.#cached && {cache: `step ${kernels} ${canonicalJson(this.config)}`}),
      });
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  /** What a step needs to know of counts; the latest of each batch size is kept, since full memories keep their counts. */
  #prepare(counts: readonly MemoryCounts[]): PreparedCounts {
    const key = counts.map(({memory, compressed}) => `${memory}/${compressed}`).join(' ');
    const latest = this.#prepared.get(counts.length);
    if (latest?.key === key) return latest.tensors;
    const tensors = tf.tidy(() => ({
      counts: tf.keep(
        tf.tensor2d(
          counts.map(({memory, compressed}) => [memory, compressed]),
          [counts.length, 2],
          'int32',
        ),
      ),
      plan: keepTensors(planUpdate(counts, this.config)),
    }));
    if (latest !== undefined) disposeTensors(latest.tensors);
    this.#prepared.set(counts.length, {key, tensors});
    return tensors;
  }
}
