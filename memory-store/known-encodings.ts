import type {MemoryDtype} from './memory-dtype.ts';
import type {MemoryRecord} from './memory-record.ts';

type KnownEncoding = {readonly dtype: MemoryDtype; readonly bytes: Uint8Array};

/** What records were decoded from, where it is kept so that they are stored again as they are: the same content has the same bytes. */
export const knownEncodings = new WeakMap<MemoryRecord, KnownEncoding>();
