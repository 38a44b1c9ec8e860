import {readFile} from 'node:fs/promises';
import {OutputFile} from '../connectors/output-file.ts';
import {sourceFailure} from '../connectors/source-failure.ts';
import {DecodeError} from '../errors.ts';
import {type EngineName, openEngine} from '../model/engine/engine.ts';
import {prepareEngineEnvironment} from '../model/engine/prepare-engine-environment.ts';
import {LocalModel} from '../model/local-model.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import type {PrecisionChoice} from '../model/precision.ts';
import {evaluateRetrieval} from '../training/retrieval/evaluate-retrieval.ts';
import {type ExcerptPairs, parseExcerptPairs} from '../training/retrieval/excerpt-pairs.ts';
import {engineLine} from './engine-line.ts';
import {formatRetrieval} from './format-retrieval.ts';
import {PhaseDisplay} from './phase-display.ts';
import {stopSignals} from './stop-signals.ts';
import {writeOutput} from './write-output.ts';

export type EvaluateRetrievalOptions = {
  /** JSON Lines of `{"id", "text"}`; ids `X#a` and `X#b` belong together. */
  readonly retrieval: string;
  readonly model: string;
  /** Vectors computed elsewhere: a name, and JSON Lines of `{"id", "embedding"}`, as `palimpsest embed` writes them. */
  readonly vectors?: readonly string[];
  readonly out?: string;
  readonly batch: number;
  readonly engine: EngineName | 'auto';
  readonly threads?: number;
  readonly precision: PrecisionChoice;
  readonly quiet?: boolean;
};

/** Runs `palimpsest evaluate --retrieval`. */
export async function runEvaluateRetrieval(options: EvaluateRetrievalOptions): Promise<void> {
  using stop = stopSignals();
  const {retrieval, batch, out, quiet = false} = options;
  if (out !== undefined && !out.endsWith('.json')) {
    throw new RangeError(`Cannot evaluate as --out must name a file that ends in .json: current value is "${out}"`);
  }
  if (out !== undefined) await OutputFile.check(out);
  const pairs = parseExcerptPairs(await readText(retrieval), {path: retrieval});
  const vectors = new Map<string, number[][]>();
  for (const option of options.vectors ?? []) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(option) ?? [];
    if (name === undefined || path === undefined)
      throw new RangeError(`Cannot read vectors as --vectors must be name=file: current value is "${option}"`);
    vectors.set(name, parseVectors(await readText(path), {path, pairs}));
  }
  const directory = await readModelDirectory(options.model);
  prepareEngineEnvironment(options);
  const engine = await openEngine(options.engine);
  if (!quiet) process.stderr.write(`Measuring "${directory.name}" with ${engineLine(engine)}\n`);
  await using model = new LocalModel({...directory, precision: options.precision});
  using display = new PhaseDisplay({quiet, units: {reading: {text: 'thousand tokens read', divisor: 1000}}});
  const rows = await evaluateRetrieval(model, pairs, {
    tokenizer: directory.tokenizer,
    embedding: directory.weights.get('embedding.weight')!.data,
    vectors,
    batch,
    signal: stop.signal,
    onProgress: (done, total) => display.show({phase: 'reading', done, total}),
  });
  display[Symbol.dispose]();
  process.stdout.write(`${formatRetrieval(rows)}\n`);
  if (out === undefined) return;
  const {name, fingerprint, summary} = directory;
  const figures = {
    model: name,
    fingerprint,
    precision: model.precision,
    excerpts: pairs.ids.length,
    shares: summary?.shares,
    rows,
  };
  await writeOutput(out, `${JSON.stringify(figures, undefined, 2)}\n`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw sourceFailure(error, {name: path});
  }
}

/** The last vector of each excerpt, in the order of the excerpts. */
function parseVectors(
  content: string,
  {path, pairs}: {readonly path: string; readonly pairs: ExcerptPairs},
): number[][] {
  const vectors = new Map<unknown, number[]>();
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const {id, embedding} = JSON.parse(line) as {id: unknown; embedding: number[]};
      if (!Array.isArray(embedding) || !embedding.every(Number.isFinite))
        throw new Error('its "embedding" must be numbers');
      vectors.set(id, embedding);
    } catch (cause) {
      throw new DecodeError(`Cannot read line ${index + 1} of "${path}": ${(cause as Error).message}`, {cause});
    }
  }
  return pairs.ids.map(id => {
    const vector = vectors.get(id);
    if (vector === undefined)
      throw new DecodeError(`Cannot use "${path}" as each excerpt needs a vector: "${id}" has none`);
    return vector;
  });
}
