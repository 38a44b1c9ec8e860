export {type DecodeMemoryRecordOptions, decodeMemoryRecord} from './decode-memory-record.ts';
export {type EncodeMemoryRecordOptions, encodeMemoryRecord} from './encode-memory-record.ts';
export {InMemoryStore} from './in-memory-store.ts';
export {LmdbStore, type LmdbStoreOptions} from './lmdb-store.ts';
export {type MemoryDtype, memoryDtypes} from './memory-dtype.ts';
export type {MemoryRecord} from './memory-record.ts';
export type {KeysOptions, MemoryChange, MemoryStore, StoreSize} from './memory-store.ts';
export {NamespacedStore} from './namespaced-store.ts';
