import type {MemorySnapshot} from './memory-snapshot.ts';
import type {Model, StepResult, StepRow} from './model.ts';
import type {ModelConfig} from './model-config.ts';
import type {SummaryHead} from './summary/summary-head.ts';

/**
 * A model whose open memories are this scope's own: several streams can share one model, whatever their documents are
 * called. Disposing of it closes what it opened, and leaves the model open.
 */
export class ScopedModel implements Model {
  static #scopes = 0;
  readonly #model: Model;
  readonly #prefix = `${ScopedModel.#scopes++}\0`;
  readonly #open = new Set<string>();

  constructor(model: Model) {
    this.#model = model;
  }

  get name(): string {
    return this.#model.name;
  }

  get config(): ModelConfig {
    return this.#model.config;
  }

  get fingerprint(): string {
    return this.#model.fingerprint;
  }

  get summary(): SummaryHead | undefined {
    return this.#model.summary;
  }

  get memoryBytes(): number {
    return this.#model.memoryBytes;
  }

  step(rows: readonly StepRow[]): Promise<StepResult[]> {
    return this.#model.step(rows.map(({memory, tokens}) => ({memory: this.#scoped(memory), tokens})));
  }

  restore(memory: string, snapshot: MemorySnapshot): Promise<void> {
    return this.#model.restore(this.#scoped(memory), snapshot);
  }

  meanCompressed(memories: readonly string[]): Promise<Float32Array[]> {
    return this.#model.meanCompressed(memories.map(memory => this.#scoped(memory)));
  }

  snapshot(memories: readonly string[]): Promise<MemorySnapshot[]> {
    return this.#model.snapshot(memories.map(memory => this.#scoped(memory)));
  }

  fork(memory: string, copy: string): Promise<void> {
    return this.#model.fork(this.#scoped(memory), this.#scoped(copy));
  }

  async release(memories: readonly string[]): Promise<void> {
    const scoped = memories.map(memory => this.#prefix + memory);
    for (const memory of scoped) this.#open.delete(memory);
    await this.#model.release(scoped);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await this.#model.release(open);
  }

  #scoped(memory: string): string {
    const scoped = this.#prefix + memory;
    this.#open.add(scoped);
    return scoped;
  }
}
