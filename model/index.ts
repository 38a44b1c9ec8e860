export {CompressiveTransformer, type Step} from './compressive-transformer.ts';
export {type CompressorName, compressorNames} from './compressor-name.ts';
export {type Engine, type EngineName, engineNames, openEngine, type SkippedEngine} from './engine/engine.ts';
export {
  type InstalledNative,
  type InstallNativeOptions,
  type InstallProgress,
  installNative,
} from './engine/install-native.ts';
export type {NodePackage} from './engine/load-node-package.ts';
export {type MeasureMatmulOptions, measureMatmul} from './engine/measure-matmul.ts';
export type {NativeBuild, PinnedTarball, PinnedWheel} from './engine/native-build.ts';
export type {OtherBuild} from './engine/other-builds.ts';
export {type EngineEnvironmentOptions, prepareEngineEnvironment} from './engine/prepare-engine-environment.ts';
export type {MemoryRow} from './gather-memories.ts';
export {type KeptLexicalCounts, LexicalCounts, type LexicalSizes} from './lexical/lexical-counts.ts';
export {LexicalHead, type LexicalHeadWeights} from './lexical/lexical-head.ts';
export {LexicalSketch, type LexicalSketchWeights} from './lexical/lexical-sketch.ts';
export {LocalModel, type LocalModelOptions} from './local-model.ts';
export type {LayerMemory, Memory} from './memory.ts';
export type {MemoryCounts} from './memory-counts.ts';
export type {MemorySnapshot, TensorData} from './memory-snapshot.ts';
export type {Model, StepResult, StepRow} from './model.ts';
export type {ModelConfig} from './model-config.ts';
export type {ModelDescription} from './model-directory/model-config-file.ts';
export {
  type ModelDirectory,
  type ReadModelDirectoryOptions,
  readModelDirectory,
} from './model-directory/read-model-directory.ts';
export {type WriteModelDirectoryOptions, writeModelDirectory} from './model-directory/write-model-directory.ts';
export {type OpenedModel, type OpenModelOptions, openModel} from './open-model.ts';
export type {Precision, PrecisionChoice} from './precision.ts';
export {ScopedModel} from './scoped-model.ts';
export {shippedModel} from './shipped-model.ts';
export {readSummaryHead, type StoredSummaryHead} from './summary/read-summary-head.ts';
export {
  type DocumentSummary,
  SummaryHead,
  type SummaryHeadOptions,
  type SummaryParts,
  summaryPartNames,
} from './summary/summary-head.ts';
export type {TransformerSummary} from './summary/transformer-features.ts';
export {TransformerHead, type TransformerHeadWeights} from './summary/transformer-head.ts';
export {type WriteSummaryHeadOptions, writeSummaryHead} from './summary/write-summary-head.ts';
export {ByteTokenizer} from './tokenizer/byte-tokenizer.ts';
export {HuggingFaceTokenizer, type HuggingFaceTokenizerOptions} from './tokenizer/hugging-face-tokenizer.ts';
export type {TokenizedChunk, Tokenizer, Tokens} from './tokenizer/tokenizer.ts';
export {validateModelConfig} from './validate-model-config.ts';
export {initialiseWeights} from './weights/initialise-weights.ts';
export {type ParseSafetensorsOptions, parseSafetensors, type Safetensors} from './weights/parse-safetensors.ts';
export {readSafetensors} from './weights/read-safetensors.ts';
export {type StoredTensor, type TensorType, tensorTypes} from './weights/tensor-type.ts';
export {weightShapes} from './weights/weight-shapes.ts';
export {type WritableTensor, type WriteSafetensorsOptions, writeSafetensors} from './weights/write-safetensors.ts';
export {ModelWorker, type ModelWorkerOptions} from './worker/model-worker.ts';
export type {EngineSummary} from './worker/worker-protocol.ts';
