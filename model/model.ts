import type {MemorySnapshot} from './memory-snapshot.ts';
import type {ModelConfig} from './model-config.ts';
import type {SummaryHead} from './summary/summary-head.ts';

/** One row of a step: up to n tokens read with one memory. */
export type StepRow = {
  /** Key of the memory to read with; a key never seen has an empty memory. */
  readonly memory: string;
  /** 1 to n token ids. Exactly n advance the memory; fewer only look, and leave it as it was. */
  readonly tokens: Int32Array;
};

/** What one row of a step gave. */
export type StepResult = {
  /** Sum of the final hidden vectors over the row's tokens. [d] */
  readonly hiddenSum: Float32Array;
  /** Surprisal of each token, -log2 p(token | everything before it), in bits. [tokens.length] */
  readonly surprisal: Float32Array;
};

/** A Compressive Transformer and the memories it holds open, each under a key. Calls take effect in the order in which they are made. */
export interface Model extends AsyncDisposable {
  readonly name: string;
  readonly config: ModelConfig;
  /** Digest of configuration, weights, tokenizer and summary head; memories of different fingerprints do not mix. */
  readonly fingerprint: string;
  /** What makes a document's vector; `undefined` if that is the mean of its final hidden vectors. */
  readonly summary: SummaryHead | undefined;
  /** Bytes that one full memory takes while it is open, its projections included. */
  readonly memoryBytes: number;

  /**
   * Reads one segment for each row. A memory appears in at most one row; a row's result does not depend on the others.
   *
   * @throws {NumericalError} If a result is not finite; the memories are then as before.
   */
  step(rows: readonly StepRow[]): Promise<StepResult[]>;
  /** Opens a memory with stored content, whose arrays become the model's; replaces what was open under the key. */
  restore(memory: string, snapshot: MemorySnapshot): Promise<void>;
  /** The mean of the compressed rows of each layer, [l · d] for each memory; empty for one without any. */
  meanCompressed(memories: readonly string[]): Promise<Float32Array[]>;
  /** Copies the content of open memories out. */
  snapshot(memories: readonly string[]): Promise<MemorySnapshot[]>;
  /** Opens `copy` with the content of `memory`; costs no copy of tensors. */
  fork(memory: string, copy: string): Promise<void>;
  /** Closes memories; keys that are not open are ignored. */
  release(memories: readonly string[]): Promise<void>;
}
