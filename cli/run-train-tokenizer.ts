import {access} from 'node:fs/promises';
import {OutputFile} from '../connectors/output-file.ts';
import {SinkError} from '../errors.ts';
import {trainTokenizer} from '../training/tokenizer/train-tokenizer.ts';
import {countOf} from './count-of.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {PhaseDisplay} from './phase-display.ts';
import {stopSignals} from './stop-signals.ts';
import {writeOutput} from './write-output.ts';

export type TrainTokenizerCommandOptions = {
  readonly data: readonly string[];
  readonly vocabulary: number;
  readonly out: string;
  readonly gutenberg?: boolean;
  readonly force?: boolean;
  readonly quiet?: boolean;
};

/** Runs `palimpsest tokenizer train`. */
export async function runTrainTokenizer(options: TrainTokenizerCommandOptions): Promise<void> {
  using stop = stopSignals();
  const {signal} = stop;
  const {out, quiet = false} = options;
  if (!options.force && (await exists(out))) {
    throw new SinkError(`Cannot write "${out}" as there must be no such file yet: add --force to replace it`);
  }
  await OutputFile.check(out);
  const started = performance.now();
  using display = new PhaseDisplay({
    quiet,
    units: {
      opening: {text: 'documents opened', divisor: 1},
      counting: {text: 'MB counted', divisor: 1e6},
      merging: {text: 'tokens found', divisor: 1},
    },
  });
  const corpus = await openFileCorpus(options.data, {
    gutenberg: options.gutenberg,
    signal,
    onProgress: progress => display.show(progress),
  });
  const tokenizer = await trainTokenizer(corpus, {
    vocabularySize: options.vocabulary,
    signal,
    onProgress: progress => display.show(progress),
  });
  await writeOutput(out, `${JSON.stringify(tokenizer)}\n`);
  display[Symbol.dispose]();
  if (quiet) return;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const documents = `${countOf(corpus.documents.length, 'document')} of ${(corpus.bytes / 1e6).toFixed(1)} MB`;
  process.stderr.write(`Trained ${countOf(options.vocabulary, 'token')} on ${documents} in ${seconds} s: ${out}\n`);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
