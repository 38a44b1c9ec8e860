import type {Progress} from '../pipeline/progress.ts';
import type {MemoryRecord} from './memory-record.ts';

/** Document id and its new record; `undefined` forgets the document. */
export type MemoryChange = readonly [documentId: string, record: MemoryRecord | undefined];

export type KeysOptions = {
  /** Lists those documents alone whose memory ends in one of these partitions. */
  readonly partitions?: ReadonlySet<string>;
  /** Lists those documents alone whose records all have event times before this, in milliseconds since 1970. */
  readonly before?: number;
};

/** What a store holds. */
export type StoreSize = {
  readonly documents: number;
  /** Of records, as they are stored. */
  readonly bytes: number;
};

/** Where memories live between steps and between runs. */
export interface MemoryStore extends AsyncDisposable {
  readonly supports: {
    /** Whether what was committed outlives the process. */
    readonly persistent: boolean;
    /** Whether one commit becomes visible as a whole or not at all. */
    readonly atomicCommit: boolean;
    /** Whether several processes may write at once. */
    readonly shared: boolean;
  };

  /**
   * The committed record of a document, or `undefined` if there is none. The caller may keep it: later commits do not change it.
   *
   * @throws {CorruptMemoryError} If what is stored cannot be read; names the document.
   */
  get(documentId: string): Promise<MemoryRecord | undefined>;
  /**
   * Writes changes and progress in one transaction and resolves once they are durable. Of several changes to one document
   * the last counts. Partitions and outputs that `progress` does not name keep what was stored for them.
   *
   * @throws {StoreError} If nothing was written, for instance because the disk is full.
   */
  commit(changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>, progress: Progress): Promise<void>;
  /** Progress of all commits so far; empty maps at first. */
  progress(): Promise<Progress>;
  /** Ids of documents, each once, in no particular order. A memory that cannot be read any more is listed as well. */
  keys(options?: KeysOptions): AsyncIterable<string>;
}
