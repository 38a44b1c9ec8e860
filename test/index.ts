export {type MemoryStorePlace, testMemoryStore} from './conformance/memory-store.ts';
export type {Assertions, TestFunction} from './conformance/test-function.ts';
export {CollectSink, type CollectSinkOptions} from './driver/collect-sink.ts';
export {OperatorDriver} from './driver/operator-driver.ts';
export {CHECKPOINT, FAIL, PAUSE, type SequenceItem, SequenceSource} from './driver/sequence-source.ts';
export {type TestRecordsOptions, testRecords} from './driver/test-records.ts';
