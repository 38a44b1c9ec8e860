export {DeadLetterFile, FileSink, FileSource, resolveInputs, StdoutSink} from './connectors/index.ts';
export {
  CorruptMemoryError,
  DecodeError,
  EngineUnavailableError,
  FencedError,
  MemoryMismatchError,
  ModelError,
  NumericalError,
  PipelineError,
  SinkError,
  SourceError,
  StoreError,
} from './errors.ts';
export {InMemoryStore, LmdbStore, type MemoryRecord, type MemoryStore, NamespacedStore} from './memory-store/index.ts';
export {
  type Model,
  type ModelConfig,
  type OpenedModel,
  openModel,
  shippedModel,
  type Tokenizer,
} from './model/index.ts';
export {
  DecodeStream,
  type Embedding,
  EncodeStream,
  JsonLinesDecoder,
  KeyedLinesDecoder,
  RememberStream,
} from './operators/index.ts';
export {
  Checkpoint,
  CheckpointSchedule,
  type DocumentChunk,
  type Element,
  type Operator,
  Pipeline,
  type Progress,
  type Sink,
  type Source,
  type StreamRecord,
} from './pipeline/index.ts';
