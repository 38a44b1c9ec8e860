import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';

type KnownEncoding = {readonly dtype: MemoryDtype; readonly bytes: Uint8Array};

/** Records in bytes, where these are kept so that a record is stored twice but encoded once: the same content has the same bytes. */
export const knownEncodings = new WeakMap<MemoryRecord, KnownEncoding>();
