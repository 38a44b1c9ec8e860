export {type Corpus, type CorpusDocument, type OpenCorpusOptions, openCorpus} from './documents/corpus.ts';
export type {TrainingDocument} from './documents/training-document.ts';
export {type TokenizerProgress, type TrainTokenizerOptions, trainTokenizer} from './tokenizer/train-tokenizer.ts';
