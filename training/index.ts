export {type Corpus, type CorpusDocument, type OpenCorpusOptions, openCorpus} from './documents/corpus.ts';
export type {TrainingDocument} from './documents/training-document.ts';
export {cosineSimilarities} from './retrieval/cosine-similarities.ts';
export {type ExcerptPairs, parseExcerptPairs} from './retrieval/excerpt-pairs.ts';
export {type RetrievalScores, retrievalScores} from './retrieval/retrieval-scores.ts';
export {type TfIdfTerms, tfIdfSimilarities} from './retrieval/tf-idf-similarities.ts';
export {
  type LexicalHeadProgress,
  type TrainLexicalHeadOptions,
  trainLexicalHead,
} from './retrieval/train-lexical-head.ts';
export {type TokenizerProgress, type TrainTokenizerOptions, trainTokenizer} from './tokenizer/train-tokenizer.ts';
