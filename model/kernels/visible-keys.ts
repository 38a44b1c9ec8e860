import * as tf from '@tensorflow/tfjs';
import {attentionMask} from '../attention-mask.ts';
import type {MemoryCounts} from '../memory-counts.ts';
import type {ModelConfig} from '../model-config.ts';

/** What the queries of a segment may see, in the two forms that kernels take; each is made when it is first asked for. */
export class VisibleKeys implements Disposable {
  readonly #counts: readonly MemoryCounts[];
  readonly #config: ModelConfig;
  #countsTensor: tf.Tensor2D | undefined;
  #mask: tf.Tensor4D | undefined;

  constructor(counts: readonly MemoryCounts[], config: ModelConfig) {
    this.#counts = counts;
    this.#config = config;
  }

  /** v_m and v_cm of each document. int32 [B, 2] */
  get counts(): tf.Tensor2D {
    this.#countsTensor ??= tf.keep(
      tf.tensor2d(
        this.#counts.flatMap(({memory, compressed}) => [memory, compressed]),
        [this.#counts.length, 2],
        'int32',
      ),
    );
    return this.#countsTensor;
  }

  /** 0 where a key is visible, −1e9 where not. [1, B or 1, n, K] */
  get mask(): tf.Tensor4D {
    this.#mask ??= tf.keep(attentionMask(this.#counts, this.#config));
    return this.#mask;
  }

  [Symbol.dispose](): void {
    this.#countsTensor?.dispose();
    this.#mask?.dispose();
  }
}
