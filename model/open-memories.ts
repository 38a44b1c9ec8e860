import {disposeTensors} from './dispose-tensors.ts';
import type {MemoryRow} from './gather-memories.ts';
import type {Memory} from './memory.ts';

/** A batch of memories and the number of keys that have a row in it. */
type SharedBatch = {readonly memory: Memory; keys: number};

type Place = {readonly batch: SharedBatch; readonly row: number};

/**
 * Memories held in the engine, each under a key.
 *
 * A batch stays together as long as the same keys are stepped together, so that a step copies no memory; it is taken apart when they part.
 */
export class OpenMemories implements Disposable {
  readonly #places = new Map<string, Place>();
  readonly #gather: (rows: readonly MemoryRow[]) => Memory;

  /** @param gather Puts copies of rows side by side into a new batch. */
  constructor(gather: (rows: readonly MemoryRow[]) => Memory) {
    this.#gather = gather;
  }

  /** Keys in another order: those that share a batch beside each other, as they lie in it, and those that are not open last. */
  arrange(keys: readonly string[]): string[] {
    const batches = new Map<SharedBatch | undefined, string[]>();
    for (const key of keys) {
      const batch = this.#places.get(key)?.batch;
      const together = batches.get(batch);
      if (together === undefined) batches.set(batch, [key]);
      else together.push(key);
    }
    const unopened = batches.get(undefined) ?? [];
    batches.delete(undefined);
    const row = (key: string) => this.#places.get(key)!.row;
    const opened = [...batches.values()].flatMap(together => together.sort((a, b) => row(a) - row(b)));
    return [...opened, ...unopened];
  }

  /**
   * Gives keys their rows in a batch of some size: those that they have, if one batch of this size holds them all, so that nothing is copied.
   *
   * @returns A key for each row; undefined where a row is nobody's.
   */
  layOut(keys: readonly string[], size: number): (string | undefined)[] {
    const layout = new Array<string | undefined>(size).fill(undefined);
    const batch = this.#places.get(keys[0]!)?.batch;
    const together = batch?.memory.counts.length === size && keys.every(key => this.#places.get(key)?.batch === batch);
    const rows = keys.map((key, index) => (together ? this.#places.get(key)!.row : index));
    // Copies of one memory have the same row.
    const distinct = new Set(rows).size === rows.length;
    for (const [index, key] of keys.entries()) layout[distinct ? rows[index]! : index] = key;
    return layout;
  }

  /**
   * Lends the memories of some keys as one batch.
   *
   * @param layout A key for each row; undefined where any memory will do.
   * @param empty One empty memory, for keys that are not open.
   * @param use Must not keep the batch, nor dispose it.
   */
  borrow<T>(layout: readonly (string | undefined)[], empty: Memory, use: (memory: Memory) => T): T {
    const places = layout.map(key => (key === undefined ? undefined : this.#places.get(key)));
    const whole = places.find(place => place !== undefined)?.batch.memory;
    const inPlace = (place: Place | undefined, row: number) =>
      layout[row] === undefined || (place?.row === row && place.batch.memory === whole);
    if (whole?.counts.length === layout.length && places.every(inPlace)) return use(whole);
    const gathered = this.#gather(
      places.map(place =>
        place === undefined ? {memory: empty, row: 0} : {memory: place.batch.memory, row: place.row},
      ),
    );
    try {
      return use(gathered);
    } finally {
      disposeTensors(gathered);
    }
  }

  /** Takes over a batch: row i becomes the memory of key i; rows without a key count as empty. */
  set(keys: readonly (string | undefined)[], memory: Memory): void {
    const left = new Set(keys.map(key => (key === undefined ? undefined : this.#places.get(key)?.batch)));
    // Attention passes over what is empty.
    const counts = memory.counts.map((count, row) => (keys[row] === undefined ? {memory: 0, compressed: 0} : count));
    const batch = {memory: {...memory, counts}, keys: 0};
    for (const [row, key] of keys.entries()) if (key !== undefined) this.#put(key, {batch, row});
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
      this.#put(key, {batch: {memory: this.#gather([{memory, row: place.row}]), keys: 0}, row: 0});
    }
  }
}
