import {disposeTensors} from './dispose-tensors.ts';
import {gatherMemories, type MemoryRow} from './gather-memories.ts';
import type {Memory} from './memory.ts';

/** A batch of memories and the number of keys that have a row in it. */
type SharedBatch = {readonly memory: Memory; keys: number};

type Place = {readonly batch: SharedBatch; readonly row: number};

/**
 * Memories held in the engine, each under a key.
 *
 * A batch stays together as long as the same keys are stepped together, in the same order, so that a step copies no memory; it is taken apart
 * when they part.
 */
export class OpenMemories implements Disposable {
  readonly #places = new Map<string, Place>();

  /**
   * Lends the memories of some keys as one batch.
   *
   * @param empty One empty memory, for keys that are not open.
   * @param use Must not keep the batch, nor dispose it.
   */
  borrow<T>(keys: readonly string[], empty: Memory, use: (memory: Memory) => T): T {
    const rows = keys.map(key => this.#row(key) ?? {memory: empty, row: 0});
    const whole = rows[0]!.memory;
    if (whole.counts.length === rows.length && rows.every(({memory, row}, i) => memory === whole && row === i)) {
      return use(whole);
    }
    const gathered = gatherMemories(rows);
    try {
      return use(gathered);
    } finally {
      disposeTensors(gathered);
    }
  }

  /** Takes over a batch: row i becomes the memory of key i. */
  set(keys: readonly string[], memory: Memory): void {
    const left = new Set(keys.map(key => this.#places.get(key)?.batch));
    const batch = {memory, keys: 0};
    for (const [row, key] of keys.entries()) this.#put(key, {batch, row});
    this.#takeApart(left);
  }

  /** Opens `copy` at the same row; nothing is copied, since memories are immutable. */
  fork(key: string, copy: string): void {
    const place = this.#places.get(key);
    if (place === undefined) this.#remove(copy);
    else this.#put(copy, place);
  }

  release(keys: readonly string[]): void {
    const left = new Set(keys.map(key => this.#places.get(key)?.batch));
    for (const key of keys) this.#remove(key);
    this.#takeApart(left);
  }

  /** Open keys by the batch that holds them. */
  batches(keys: readonly string[]): Map<Memory, {key: string; row: number}[]> {
    const batches = new Map<Memory, {key: string; row: number}[]>();
    for (const key of keys) {
      const place = this.#places.get(key);
      if (place === undefined) continue;
      const {memory} = place.batch;
      const rows = batches.get(memory) ?? [];
      batches.set(memory, rows);
      rows.push({key, row: place.row});
    }
    return batches;
  }

  [Symbol.dispose](): void {
    this.release([...this.#places.keys()]);
  }

  #row(key: string): MemoryRow | undefined {
    const place = this.#places.get(key);
    return place && {memory: place.batch.memory, row: place.row};
  }

  #put(key: string, place: Place): void {
    place.batch.keys++;
    this.#remove(key);
    this.#places.set(key, place);
  }

  #remove(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    place.batch.keys--;
    if (place.batch.keys === 0) disposeTensors(place.batch.memory);
  }

  /** Gives the few keys that remain in a batch others have left rows of their own, so that a large batch does not outlive its use. */
  #takeApart(left: ReadonlySet<SharedBatch | undefined>): void {
    const sparse = [...left].filter(
      batch => batch !== undefined && batch.keys > 0 && batch.keys * 2 <= batch.memory.counts.length,
    );
    if (sparse.length === 0) return;
    for (const [key, place] of [...this.#places]) {
      const {memory} = place.batch;
      if (!sparse.includes(place.batch)) continue;
      this.#put(key, {batch: {memory: gatherMemories([{memory, row: place.row}]), keys: 0}, row: 0});
    }
  }
}
