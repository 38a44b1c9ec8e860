import {writeLexicalHead} from '../model/lexical/write-lexical-head.ts';
import {HuggingFaceTokenizer} from '../model/tokenizer/hugging-face-tokenizer.ts';
import {trainLexicalHead} from '../training/retrieval/train-lexical-head.ts';
import {countOf} from './count-of.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {PhaseDisplay} from './phase-display.ts';
import {stopSignals} from './stop-signals.ts';

export type TrainLexicalOptions = {
  readonly data: readonly string[];
  readonly tokenizer: string;
  readonly out: string;
  readonly dimension: number;
  readonly pairBuckets?: number;
  readonly excerpt: number;
  readonly gutenberg?: boolean;
  readonly quiet?: boolean;
};

/** Runs `palimpsest lexical train`. */
export async function runTrainLexical(options: TrainLexicalOptions): Promise<void> {
  using stop = stopSignals();
  const {signal} = stop;
  const {out, dimension, pairBuckets = 0, excerpt, quiet = false} = options;
  const tokenizer = await HuggingFaceTokenizer.open(options.tokenizer);
  const started = performance.now();
  using display = new PhaseDisplay({
    quiet,
    units: {
      opening: {text: 'documents opened', divisor: 1},
      reading: {text: 'documents read', divisor: 1},
      fitting: {text: 'passes over excerpts', divisor: 1},
    },
  });
  const corpus = await openFileCorpus(options.data, {
    gutenberg: options.gutenberg,
    signal,
    onProgress: progress => display.show(progress),
  });
  const head = await trainLexicalHead(corpus, {
    tokenizer,
    dimension,
    pairBuckets,
    excerptTokens: excerpt,
    signal,
    onProgress: progress => display.show(progress),
  });
  const bytes = await writeLexicalHead(out, head, {floatType: 'F16'});
  display[Symbol.dispose]();
  if (quiet) return;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const size = `${countOf(head.dimension, 'number')}, ${(bytes / 1e6).toFixed(1)} MB`;
  process.stderr.write(
    `Trained a lexical head (${size}) on ${countOf(corpus.documents.length, 'document')} in ${seconds} s: ${out}\n`,
  );
}
