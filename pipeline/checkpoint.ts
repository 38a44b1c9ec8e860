import type {PartitionProgress, Progress} from './progress.ts';

/**
 * The barrier that flows behind the records it covers.
 *
 * A stage with side outputs registers how to flush them, a stage with memories takes its snapshot as the barrier passes
 * and registers how to write it. The sink, on meeting the barrier, registers its own flush and calls {@link commit}:
 * first all outputs become durable, then memories and progress are written.
 */
export class Checkpoint {
  readonly partitions: ReadonlyMap<string, PartitionProgress>;
  readonly #flushes: (() => Promise<readonly [output: string, length: bigint] | undefined>)[] = [];
  readonly #writes: ((progress: Progress) => Promise<void>)[] = [];

  /** @param partitions Progress of every partition that moved since the last barrier. */
  constructor(partitions: ReadonlyMap<string, PartitionProgress>) {
    this.partitions = partitions;
  }

  /**
   * Registers how to make one output durable.
   *
   * @param flush Resolves to the output's name and durable length in bytes, or `undefined` if it cannot be cut back.
   */
  onFlush(flush: () => Promise<readonly [output: string, length: bigint] | undefined>): void {
    this.#flushes.push(flush);
  }

  /** Registers a write that must happen after every output is durable. */
  onCommit(write: (progress: Progress) => Promise<void>): void {
    this.#writes.push(write);
  }

  /** Makes outputs durable, then memories and progress. Called once, by the sink. */
  async commit(): Promise<void> {
    const outputs = new Map<string, bigint>();
    for (const flush of this.#flushes) {
      const output = await flush();
      if (output !== undefined) outputs.set(output[0], output[1]);
    }
    for (const write of this.#writes) await write({partitions: this.partitions, outputs});
  }
}
