import {OutputFile} from '../connectors/output-file.ts';
import {type EngineName, openEngine} from '../model/engine/engine.ts';
import {prepareEngineEnvironment} from '../model/engine/prepare-engine-environment.ts';
import {LocalModel} from '../model/local-model.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import type {PrecisionChoice} from '../model/precision.ts';
import type {Corpus} from '../training/documents/corpus.ts';
import {drawCurves} from '../training/draw-curves.ts';
import {attentionShares} from '../training/evaluation/attention-shares.ts';
import {countWords} from '../training/evaluation/count-words.ts';
import {evaluate} from '../training/evaluation/evaluate.ts';
import {engineLine} from './engine-line.ts';
import {formatEvaluation} from './format-evaluation.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {PhaseDisplay} from './phase-display.ts';
import {stopSignals} from './stop-signals.ts';
import {writeOutput} from './write-output.ts';

export type EvaluateOptions = {
  readonly model: string;
  readonly data: readonly string[];
  readonly out?: string;
  readonly frequencies?: readonly string[];
  readonly gutenberg?: boolean;
  readonly tokens?: number;
  readonly attentionTokens: number;
  readonly batch: number;
  readonly engine: EngineName | 'auto';
  readonly threads?: number;
  readonly precision: PrecisionChoice;
  readonly quiet?: boolean;
};

/** Of English text, with thousands of tokens to choose from. */
const bytesPerToken = 4;

/** Runs `palimpsest evaluate`. */
export async function runEvaluate(options: EvaluateOptions): Promise<void> {
  using stop = stopSignals();
  const {signal} = stop;
  const out = options.out;
  if (out !== undefined && !out.endsWith('.json')) {
    throw new RangeError(`Cannot evaluate as --out must name a file that ends in .json: current value is "${out}"`);
  }
  const pictureFile = out?.replace(/\.json$/, '.svg');
  for (const path of [out, pictureFile]) if (path !== undefined) await OutputFile.check(path);
  const directory = await readModelDirectory(options.model);
  const open = (patterns: readonly string[]) => openFileCorpus(patterns, {gutenberg: options.gutenberg, signal});
  const corpus = await open(options.data);
  const counted = options.frequencies && (await open(options.frequencies));
  prepareEngineEnvironment(options);
  const engine = await openEngine(options.engine);
  if (!options.quiet) process.stderr.write(`Measuring "${directory.name}" with ${engineLine(engine)}\n`);
  const frequencies = counted && (await countWords(counted, {signal}));
  using display = new PhaseDisplay({
    quiet: options.quiet ?? false,
    units: {reading: {text: options.tokens === undefined ? 'kB read' : 'thousand tokens read', divisor: 1000}},
  });
  await using model = new LocalModel({...directory, precision: options.precision});
  const {tokenizer, config, weights} = directory;
  const most = options.tokens;
  const evaluation = await evaluate(model, corpus, {
    tokenizer,
    batch: Math.min(options.batch, corpus.documents.length),
    mostTokens: most,
    frequencies,
    signal,
    onProgress: ({bytes, tokens}) =>
      display.show({
        phase: 'reading',
        ...(most === undefined ? {done: bytes, total: corpus.bytes} : {done: tokens, total: mostOf(corpus, most)}),
      }),
  });
  const attention = await attentionShares(corpus.documents, {
    config,
    weights,
    tokenizer,
    mostTokens: options.attentionTokens,
    signal,
  });
  display[Symbol.dispose]();
  // First what took long, then what a reader may not wait for.
  if (out !== undefined) {
    const {name, fingerprint} = directory;
    const figures = {
      model: name,
      fingerprint,
      config,
      engine: engine.description,
      precision: model.precision,
      mostTokens: most,
      ...evaluation,
      attention,
    };
    const curve = evaluation.bySeen.map(({fromToken, toToken, bitsPerByte}) => ({
      x: (fromToken + toToken) / 2,
      y: bitsPerByte,
    }));
    const picture = drawCurves([{name: `${name}, all documents`, points: curve}], {
      title: `What memory gives: ${name}`,
      xLabel: 'tokens read before',
      yLabel: 'bits per byte',
      logarithmic: true,
    });
    await writeOutput(out, `${JSON.stringify(figures, undefined, 2)}\n`);
    await writeOutput(pictureFile!, picture);
  }
  process.stdout.write(`${formatEvaluation(evaluation, attention.layers)}\n`);
}

/** Tokens to read of all documents; of short ones, about. */
function mostOf({documents}: Corpus, tokens: number): number {
  return documents.reduce((sum, {start, end}) => sum + Math.min(tokens, (end - start) / bytesPerToken), 0);
}
