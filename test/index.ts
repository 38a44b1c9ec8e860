export {type KafkaClientPlace, testKafkaClient} from './conformance/kafka-client.ts';
export {type MemoryStorePlace, testMemoryStore} from './conformance/memory-store.ts';
export type {Assertions, TestFunction} from './conformance/test-function.ts';
export {CollectSink, type CollectSinkOptions} from './driver/collect-sink.ts';
export {InMemoryKafka, type InMemoryKafkaFault} from './driver/in-memory-kafka.ts';
export {OperatorDriver} from './driver/operator-driver.ts';
export {CHECKPOINT, FAIL, PAUSE, type SequenceItem, SequenceSource} from './driver/sequence-source.ts';
export {type TestRecordsOptions, testRecords} from './driver/test-records.ts';
