import * as tf from '@tensorflow/tfjs';
import {ModelError} from '../errors.ts';
import {disposeTensors} from './dispose-tensors.ts';
import {emptyMemory} from './empty-memory.ts';
import {composedKernels} from './kernels/composed-kernels.ts';
import {fusedKernels} from './kernels/fused-kernels.ts';
import type {Kernels} from './kernels/kernels.ts';
import {VisibleKeys} from './kernels/visible-keys.ts';
import type {Memory} from './memory.ts';
import type {MemoryCounts} from './memory-counts.ts';
import type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
import type {ModelConfig} from './model-config.ts';
import {type PreparedWeights, prepareWeights} from './prepare-weights.ts';
import {readSegment} from './read-segment.ts';
import {restoreMemory} from './restore-memory.ts';
import {surprisal} from './surprisal.ts';
import {tidy} from './tidy.ts';
import {planUpdate} from './update-plan.ts';
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

/** What one step gave. */
export type Step = {
  /** Final hidden vectors. [B, n, d] */
  readonly hidden: tf.Tensor3D;
  /** Surprisal of each token given everything before it, in bits. [B, n] */
  readonly surprisal: tf.Tensor2D;
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
  readonly #weights: PreparedWeights;
  readonly #kernels: Kernels;
  #visible: {readonly counts: string; readonly keys: VisibleKeys} | undefined;

  /**
   * @param weights Named and shaped as in docs/model.md.
   * @param options.fused Whether to use the engine's fused kernels where it has them. @default true
   * @throws {RangeError} If a size is out of range, or sizes do not go together.
   * @throws {ModelError} If a weight is missing.
   */
  constructor(config: ModelConfig, weights: ReadonlyMap<string, TensorData>, {fused = true}: {fused?: boolean} = {}) {
    validateModelConfig(config);
    this.config = config;
    this.#kernels = (fused ? fusedKernels() : undefined) ?? composedKernels;
    this.#weights = tidy(() =>
      prepareWeights(config, name => {
        const weight = weights.get(name);
        if (weight === undefined) throw new ModelError(`Cannot construct the model as it must have weight "${name}"`);
        return tf.tensor(weight.data, weight.shape.slice());
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
  step(tokens: tf.Tensor2D, memory: Memory, {advance = true}: {advance?: boolean} = {}): Step {
    return tidy(() => {
      const visible = this.#visibleKeys(memory.counts);
      const plan = advance ? planUpdate(memory.counts, this.config) : undefined;
      const {hidden, layers} = readSegment(tokens, memory, {
        config: this.config,
        weights: this.#weights,
        visible,
        kernels: this.#kernels,
        ...(plan !== undefined && {plan}),
      });
      const [batch, n, d] = hidden.shape;
      const before = tf.concat([tf.expandDims(memory.lastHidden, 1), tf.slice(hidden, [0, 0, 0], [-1, n - 1, -1])], 1); // [B, n, d]
      const bits = surprisal(
        tf.reshape(before, [batch * n, d]) as tf.Tensor2D,
        tf.reshape(tokens, [-1]) as tf.Tensor1D,
        {embedding: this.#weights.embedding, kernels: this.#kernels},
      );
      return {
        hidden,
        surprisal: tf.reshape(bits, [batch, n]) as tf.Tensor2D,
        ...(plan !== undefined && {
          memory: {
            counts: plan.counts,
            lastHidden: tf.reshape(tf.slice(hidden, [0, n - 1, 0], [-1, 1, -1]), [batch, d]) as tf.Tensor2D,
            layers: layers!,
          },
        }),
      };
    });
  }

  /** Brings the memory of one document back into the engine. Throws as {@link restoreMemory}. */
  restoreMemory(snapshot: MemorySnapshot): Memory {
    return restoreMemory(snapshot, {config: this.config, weights: this.#weights, kernels: this.#kernels});
  }

  /** Scores of every next token. hidden [S, d] → [S, V] */
  logits(hidden: tf.Tensor2D): tf.Tensor2D {
    return this.#kernels.matMul(hidden, this.#weights.embedding, true);
  }

  [Symbol.dispose](): void {
    disposeTensors(this.#weights);
    this.#visible?.keys[Symbol.dispose]();
    this.#visible = undefined;
  }

  /** What is visible with the given counts; the latest is kept, since full memories keep their counts. */
  #visibleKeys(counts: readonly MemoryCounts[]): VisibleKeys {
    const key = counts.map(({memory, compressed}) => `${memory}/${compressed}`).join(' ');
    if (this.#visible?.counts !== key) {
      this.#visible?.keys[Symbol.dispose]();
      this.#visible = {counts: key, keys: new VisibleKeys(counts, this.config)};
    }
    return this.#visible.keys;
  }
}
