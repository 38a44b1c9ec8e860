export {changeMemories} from './change-memories.ts';
export {type CompressionLossName, compressionLossNames} from './compression-loss.ts';
export type {ContinuedModel} from './continued-model.ts';
export {type Corpus, type CorpusDocument, type OpenCorpusOptions, openCorpus} from './documents/corpus.ts';
export type {TokenStretch} from './documents/document-tokens.ts';
export type {TrainingDocument} from './documents/training-document.ts';
export {type AttentionShares, type AttentionSharesOptions, attentionShares} from './evaluation/attention-shares.ts';
export {type BitsPerByte, bitsPerByte} from './evaluation/bits-per-byte.ts';
export {countWords} from './evaluation/count-words.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Measured,
  type MeasuredDistance,
  type MeasuredFrequency,
} from './evaluation/evaluate.ts';
export {type ReadDocumentsOptions, type ReadStretch, readDocuments} from './evaluation/read-documents.ts';
export type {LearningRateSchedule} from './optimiser/learning-rate.ts';
export {parseTrainingConfig} from './parse-training-config.ts';
export {type ChooseSharesOptions, type ChosenShares, chooseShares} from './retrieval/choose-shares.ts';
export {cosineSimilarities} from './retrieval/cosine-similarities.ts';
export {
  type EvaluatedRetrieval,
  type EvaluateRetrievalOptions,
  evaluateRetrieval,
} from './retrieval/evaluate-retrieval.ts';
export {type ExcerptPairs, parseExcerptPairs} from './retrieval/excerpt-pairs.ts';
export {type RetrievalScores, retrievalScores} from './retrieval/retrieval-scores.ts';
export {type TfIdfTerms, tfIdfSimilarities} from './retrieval/tf-idf-similarities.ts';
export {
  type SummaryHeadProgress,
  type TrainedSummaryHead,
  type TrainSummaryHeadOptions,
  trainSummaryHead,
} from './retrieval/train-summary-head.ts';
export {
  type RunTrainingOptions,
  runTraining,
  type TrainingProgress,
  type TrainingResult,
} from './run-training.ts';
export {type TokenizerProgress, type TrainTokenizerOptions, trainTokenizer} from './tokenizer/train-tokenizer.ts';
export type {TrainingConfig, UpdateFrequency} from './training-config.ts';
export type {TrainingLogLine} from './training-log.ts';
