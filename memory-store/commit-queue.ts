import {StoreError} from '../errors.ts';

/** Runs commits one after the other, in the order in which they were asked for, until it is closed. */
export class CommitQueue {
  readonly #name: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** @param name What the errors call the store. */
  constructor(name: string) {
    this.#name = name;
  }

  /** @throws {StoreError} If the store is closed. */
  checkOpen(action: string): void {
    if (this.#closed !== undefined) {
      throw new StoreError(`Cannot ${action} as ${this.#name} must be open: it has been closed`);
    }
  }

  async run(commit: () => Promise<void>): Promise<void> {
    this.checkOpen('commit');
    const done = this.#last.then(commit);
    this.#last = done.catch(() => {});
    await done;
  }

  /** Waits for what is under way, then runs `release`, once. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#last.then(release);
    return this.#closed;
  }
}
