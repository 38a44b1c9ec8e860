import {join, normalize} from 'node:path';
import {OutputFile} from '../connectors/output-file.ts';
import type {EngineName} from '../model/engine/engine.ts';
import {modelDirectoryFiles} from '../model/model-directory/model-directory-files.ts';
import {openModel} from '../model/open-model.ts';
import {writeSummaryHead} from '../model/summary/write-summary-head.ts';
import {type TrainedSummaryHead, trainSummaryHead} from '../training/retrieval/train-summary-head.ts';
import {countOf} from './count-of.ts';
import {engineLine} from './engine-line.ts';
import {formatRetrieval} from './format-retrieval.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {PhaseDisplay} from './phase-display.ts';
import {stopSignals} from './stop-signals.ts';

export type TrainSummaryOptions = {
  readonly model: string;
  readonly data: readonly string[];
  readonly gutenberg?: boolean;
  readonly dimension: number;
  readonly excerpt: number;
  readonly read: number;
  readonly pairBuckets?: number;
  readonly cache?: string;
  readonly engine: EngineName | 'auto';
  readonly threads?: number;
  readonly quiet?: boolean;
};

/** Runs `palimpsest summary train`. */
export async function runTrainSummary(options: TrainSummaryOptions): Promise<void> {
  using stop = stopSignals();
  const {signal} = stop;
  const {dimension, pairBuckets, excerpt, read, engine, threads, quiet = false} = options;
  const {
    model,
    tokenizer,
    trained: isTrained,
  } = await openModel(options.model, {
    engine,
    withoutSummary: true,
    ...(threads && {threads}),
  });
  await using _model = model;
  if (!quiet) process.stderr.write(`Training a summary head of "${model.name}" with ${engineLine(model.engine)}\n`);
  if (!isTrained) {
    process.stderr.write(
      `Model "${model.name}" is untrained: train it first, as its summary head goes with its weights\n`,
    );
  }
  const path = join(options.model, modelDirectoryFiles.summary);
  await OutputFile.check(path);
  const started = performance.now();
  using display = new PhaseDisplay({
    quiet,
    units: {
      opening: {text: 'documents opened', divisor: 1},
      reading: {text: 'documents read', divisor: 1},
      choosing: {text: 'passes over excerpts, to choose shares', divisor: 1},
      fitting: {text: 'passes over excerpts', divisor: 1},
    },
  });
  const corpus = await openFileCorpus(options.data, {
    gutenberg: options.gutenberg,
    signal,
    onProgress: progress => display.show(progress),
  });
  const trained = await trainSummaryHead(corpus, {
    model,
    tokenizer,
    cache: options.cache ?? `${normalize(join(options.model, '.'))}.features`,
    dimension,
    ...(pairBuckets !== undefined && {pairBuckets}),
    excerptTokens: excerpt,
    readExcerpts: read,
    signal,
    onProgress: progress => display.show(progress),
  });
  const bytes = await writeSummaryHead(path, trained.head, {model: model.fingerprint});
  display[Symbol.dispose]();
  if (quiet) return;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `${describeValidation(trained)}\n\nTrained a summary head on ${countOf(trained.documents, 'document')} in ${seconds} s: ${path}, ${(bytes / 1e6).toFixed(1)} MB\n`,
  );
}

/** How well the head does that was trained without the held-out documents. */
function describeValidation({head, validation}: TrainedSummaryHead): string {
  const {lexical, sketch, transformer, withoutTransformer, all} = validation;
  const rows = [
    {name: 'lexical', numbers: head.parts.lexical, ...lexical.scores},
    {name: 'sketch', numbers: head.parts.sketch, ...sketch.scores},
    {name: 'transformer', numbers: head.parts.transformer, ...transformer.scores},
    {name: 'lexical and sketch', ...withoutTransformer.scores},
    {name: 'all', ...all.scores},
  ];
  const shares = Object.entries(head.shares).map(([name, share]) => `${name} ${share}`);
  return `Shares by ${validation.documents} held-out documents: ${shares.join(', ')}\n${formatRetrieval(rows)}`;
}
