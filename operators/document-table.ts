import {MemoryMismatchError} from '../errors.ts';
import type {MemoryChange, MemoryStore} from '../memory-store/memory-store.ts';
import type {Model} from '../model/model.ts';
import type {Progress} from '../pipeline/progress.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {OpenDocument} from './open-document.ts';

export type DocumentTableOptions = {
  readonly model: Model;
  readonly store: MemoryStore;
  /** Bytes of memories that stay open in the model after a commit. */
  readonly openMemoryBytes: () => number;
};

/**
 * Bytes of memories copied out of the model at once; between two such copies it can step. Each reads whole tensors of a batch, however few of
 * its rows are wanted.
 */
const snapshotBytes = 64 * 1024 * 1024;

/** The documents that are being read: opens them from the store, writes them back, closes the least recently read. */
export class DocumentTable {
  readonly #options: DocumentTableOptions;
  /** Least recently read first. */
  readonly #documents = new Map<string, OpenDocument>();
  /** Documents to be removed from the store, by the number of the commit that does so first. */
  readonly #forgotten = new Map<string, number>();
  /** Documents that must stay open although nothing of them waits to be stored. */
  readonly #inHand = new Set<OpenDocument>();
  #commits = 0;

  constructor(options: DocumentTableOptions) {
    this.#options = options;
  }

  /**
   * Opens the document of a record and holds it open until the next call; `undefined` if the record is part of its memory already.
   *
   * @throws {MemoryMismatchError} If the document was stored by another model.
   */
  async open(record: StreamRecord<unknown>): Promise<OpenDocument | undefined> {
    const id = record.key;
    const document = this.#documents.get(id) ?? (await this.#load(id));
    this.#documents.delete(id);
    this.#documents.set(id, document);
    this.#inHand.clear();
    this.#inHand.add(document);
    return document.covers(record) ? undefined : document;
  }

  /** Opens a document that was read before and holds it open until the next call of {@link open}; `undefined` if there is none. */
  async reopen(id: string): Promise<OpenDocument | undefined> {
    const document = this.#documents.get(id) ?? (await this.#load(id));
    if (document.position === undefined) return undefined;
    this.#documents.set(id, document);
    this.#inHand.add(document);
    return document;
  }

  /**
   * Stored documents whose last record is older than a time, and that are not being read. No record may be opened meanwhile; what was
   * given out may be forgotten.
   */
  async *readBefore(time: number): AsyncGenerator<string, void> {
    // A commit under way may store one of these as read later than the list says, and close it.
    const wereOpen = new Set(this.#documents.keys());
    for await (const id of this.#options.store.keys({before: time})) {
      if (this.#forgotten.has(id)) continue;
      const document = this.#documents.get(id);
      if (document !== undefined && this.#inHand.has(document)) continue;
      const settled = document === undefined || document.version === document.storedVersion;
      if (settled && (document === undefined ? !wereOpen.has(id) : document.timestamp < time)) yield id;
    }
  }

  /** Documents that are open, and the bytes of their memories. */
  get hot(): {readonly documents: number; readonly bytes: number} {
    let memories = 0;
    for (const {segments} of this.#documents.values()) if (segments > 0) memories++;
    return {documents: this.#documents.size, bytes: memories * this.#options.model.memoryBytes};
  }

  /** Closes a document and leaves nothing of it; all of it must have been read. */
  async forget(id: string): Promise<void> {
    const document = this.#documents.get(id);
    this.#documents.delete(id);
    this.#forgotten.set(id, this.#commits);
    if (document === undefined) return;
    this.#inHand.delete(document);
    await this.#options.model.release([document.memory]);
  }

  /** Whether more memories are open in the model than may be. */
  get overfull(): boolean {
    // Few documents cannot be too many; saves counting at each record.
    const limit = this.#options.openMemoryBytes();
    return this.#documents.size * this.#mostBytes() > limit && this.#openBytes() > limit;
  }

  /**
   * Fixes what a commit is to write: every document as it stands now. Nothing is copied; reading may go on while the commit is written.
   *
   * @returns The commit.
   */
  async prepareCommit(): Promise<(progress: Progress) => Promise<void>> {
    const {model, store} = this.#options;
    const commit = this.#commits++;
    const changed = [...this.#documents.values()]
      .filter(({version, takenVersion}) => version !== takenVersion)
      .map(document => ({
        document,
        version: document.version,
        record: document.toRecord(model.fingerprint),
        memory: document.segments > 0 ? document.copyName(`commit ${commit}`) : undefined,
      }));
    for (const {document, version, memory} of changed) {
      document.takenVersion = version;
      if (memory !== undefined) await model.fork(document.memory, memory);
    }

    const forgotten = [...this.#forgotten.keys()];
    async function* changes(): AsyncGenerator<MemoryChange> {
      // Before the others, as a document may have begun anew.
      for (const id of forgotten) yield [id, undefined];
      const atOnce = Math.max(1, Math.floor(snapshotBytes / model.memoryBytes));
      for (let start = 0; start < changed.length; start += atOnce) {
        const part = changed.slice(start, start + atOnce);
        const memories = part.flatMap(({memory}) => memory ?? []);
        const snapshots = memories.length > 0 ? await model.snapshot(memories) : [];
        for (const {document, record, memory} of part) {
          yield [document.id, record(memory === undefined ? undefined : snapshots.shift())];
        }
      }
    }

    return async progress => {
      await store.commit(changes(), progress);
      await model.release(changed.flatMap(({memory}) => memory ?? []));
      for (const {document, version} of changed) document.storedVersion = version;
      for (const id of forgotten) if (this.#forgotten.get(id)! <= commit) this.#forgotten.delete(id);
      await this.#closeIdle();
    };
  }

  async #load(id: string): Promise<OpenDocument> {
    const {model, store} = this.#options;
    const stored = this.#forgotten.has(id) ? undefined : await store.get(id);
    if (stored !== undefined && stored.fingerprint !== model.fingerprint) {
      throw new MemoryMismatchError(
        `Cannot read document "${id}" with model "${model.name}" (${model.fingerprint}) as its memory was written by model ${stored.fingerprint}: use that model, or another store`,
      );
    }
    const document = stored === undefined ? new OpenDocument(id, model) : OpenDocument.fromRecord(id, stored, model);
    if (stored !== undefined && document.segments > 0) await model.restore(document.memory, stored.memory);
    // A run that failed may have left a memory of it open.
    else await model.release([document.memory]);
    return document;
  }

  /** Closes stored documents that have ended, and the least recently read of the others while too many memories are open. */
  async #closeIdle(): Promise<void> {
    const {model} = this.#options;
    const limit = this.#options.openMemoryBytes();
    let bytes = this.#openBytes();
    const closed: string[] = [];
    for (const document of this.#documents.values()) {
      const idle = document.version === document.storedVersion && !this.#inHand.has(document);
      if (!idle || !(document.ended || bytes > limit)) continue;
      bytes -= this.#bytesOf(document);
      this.#documents.delete(document.id);
      closed.push(document.memory);
    }
    await model.release(closed);
  }

  #openBytes(): number {
    let bytes = 0;
    for (const document of this.#documents.values()) bytes += this.#bytesOf(document);
    return bytes;
  }

  #bytesOf({segments}: OpenDocument): number {
    const {memoryBytes} = this.#options.model;
    return segments > 0 ? this.#mostBytes() : this.#mostBytes() - memoryBytes;
  }

  /** Bytes of a document with a memory. */
  #mostBytes(): number {
    const {memoryBytes, config, summary} = this.#options.model;
    const counts = summary === undefined ? 0 : summary.sizes.vocabularySize + summary.sizes.pairBuckets;
    // Tokens that wait with their lengths, the sum of hidden vectors, and counts.
    return memoryBytes + 8 * config.segmentLength + 8 * config.modelWidth + 4 * counts;
  }
}
