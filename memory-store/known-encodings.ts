import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';

type KnownEncoding = {
  readonly dtype: MemoryDtype;
  readonly bytes: Uint8Array;
  /** What the bytes are borrowed from: once it has ended, they hold something else. */
  readonly loan?: {readonly ended: boolean};
};

/** Records in bytes, where these are kept so that a record is stored twice but encoded once: the same content has the same bytes. */
export const knownEncodings = {
  entries: new WeakMap<MemoryRecord, KnownEncoding>(),

  set(record: MemoryRecord, encoding: KnownEncoding): void {
    this.entries.set(record, encoding);
  },

  get(record: MemoryRecord, dtype: MemoryDtype): Uint8Array | undefined {
    const known = this.entries.get(record);
    return known?.dtype === dtype && known.loan?.ended !== true ? known.bytes : undefined;
  },
};
