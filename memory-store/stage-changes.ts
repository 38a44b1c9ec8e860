import {setImmediate as nextTurn} from 'node:timers/promises';
import {MemoryMismatchError, StoreError} from '../errors.ts';
import {checkName} from './check-name.ts';
import {encodeMemoryRecord} from './encode-memory-record.ts';
import {knownEncodings} from './known-encodings.ts';
import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryChange} from './memory-store.ts';

/**
 * Where a document's record lies, which partition its memory ends in, and its latest event time; earlier versions left out these two, or
 * the last.
 */
export type Entry = readonly [
  documentId: string,
  number: number,
  bytes: number,
  partition?: string,
  timestamp?: number,
];

/** Numbers from the first on are free; the bytes are those of all records below it. */
export type StoredRecords = readonly [nextNumber: number, usedBytes: number];

/** What a commit has written so far, and nobody sees yet. */
export type StagedChanges = {
  /** Where each document's new record lies; `undefined` forgets the document. */
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  /** Records that a later change of the same commit replaced. */
  readonly superfluous: readonly Entry[];
  readonly stored: StoredRecords;
  /** Fingerprint of the first record. */
  readonly fingerprint: string | undefined;
};

export type StageChangesOptions = {
  /** What lies in the store before. */
  readonly stored: StoredRecords;
  readonly dtype: MemoryDtype;
  /** The only fingerprint to admit, if given. */
  readonly fingerprint: string | undefined;
  readonly maxBytes: number;
  /** Makes encoded records durable where no document points to them. */
  readonly write: (part: readonly (readonly [number: number, record: Buffer])[], bytes: number) => Promise<void>;
};

const partBytes = 2 ** 24;
const pageBytes = 4096;

/**
 * Encodes records one at a time, letting the event loop run after each, and writes them in parts of 16 MiB or one record; less when
 * there is nothing else to do, as changes are waited for. A part is encoded while the one before it is written.
 *
 * @throws {StoreError} If the records need more than `maxBytes`.
 * @throws {MemoryMismatchError} If a record has another fingerprint.
 */
export async function stageChanges(
  changes: Iterable<MemoryChange> | AsyncIterable<MemoryChange>,
  {stored, dtype, fingerprint, maxBytes, write}: StageChangesOptions,
): Promise<StagedChanges> {
  const entries = new Map<string, Entry | undefined>();
  const superfluous: Entry[] = [];
  let [nextNumber, usedBytes] = stored;
  let firstFingerprint: string | undefined;
  let part: [number: number, record: Buffer][] = [];
  let bytesInPart = 0;
  let writing: Promise<void> | undefined;
  let waiting = false;
  let idle: NodeJS.Immediate | undefined;
  const writePart = () => {
    const written = write(part, bytesInPart).then(() => {
      writing = undefined;
      writeWhileWaiting();
    });
    // Thrown when it is awaited, before another part or at the end.
    written.catch(() => {});
    writing = written;
    part = [];
    bytesInPart = 0;
  };
  const writeWhileWaiting = () => {
    if (waiting && writing === undefined && bytesInPart > 0) writePart();
  };
  const stopWaiting = () => {
    clearImmediate(idle);
    waiting = false;
  };
  const stage = async ([documentId, record]: MemoryChange): Promise<void> => {
    checkName('document', documentId);
    const earlier = entries.get(documentId);
    if (earlier !== undefined) superfluous.push(earlier);
    if (record === undefined) {
      entries.set(documentId, undefined);
      return;
    }
    if (fingerprint !== undefined && record.fingerprint !== fingerprint) {
      throw new MemoryMismatchError(
        `Cannot commit the memory of document "${documentId}" as the store is open for model ${fingerprint}: the memory is of ${record.fingerprint}`,
      );
    }
    firstFingerprint ??= record.fingerprint;
    const encoded = knownEncodings.get(record, dtype) ?? encodeMemoryRecord(record, {dtype});
    const bytes = Math.ceil(encoded.length / pageBytes) * pageBytes;
    if (usedBytes + bytes > maxBytes) {
      throw new StoreError(
        `Cannot commit as the records of the store must not exceed ${maxBytes} bytes: current value is ${usedBytes + bytes} with what this commit replaces; nothing was changed, forget documents, raise maxBytes or make checkpoints smaller`,
      );
    }
    if (bytesInPart > 0 && bytesInPart + bytes > partBytes) {
      await writing;
      writePart();
    }
    part.push([nextNumber, Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length)]);
    bytesInPart += bytes;
    entries.set(documentId, [documentId, nextNumber, bytes, record.position.partition, record.timestamp]);
    nextNumber++;
    usedBytes += bytes;
    await nextTurn();
  };
  try {
    for await (const change of changes) {
      stopWaiting();
      await stage(change);
      idle = setImmediate(() => {
        waiting = true;
        writeWhileWaiting();
      });
    }
    stopWaiting();
    await writing;
    if (bytesInPart > 0) writePart();
    await writing;
  } finally {
    stopWaiting();
    await writing?.catch(() => {});
  }
  return {entries, superfluous, stored: [nextNumber, usedBytes], fingerprint: firstFingerprint};
}
