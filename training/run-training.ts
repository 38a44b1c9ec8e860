import {isDeepStrictEqual} from 'node:util';
import {ModelError} from '../errors.ts';
import {LocalModel} from '../model/local-model.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import type {Tokenizer} from '../model/tokenizer/tokenizer.ts';
import type {Corpus} from './documents/corpus.ts';
import {CorpusRows} from './documents/corpus-rows.ts';
import {type Curve, drawCurves} from './draw-curves.ts';
import {bitsPerByte} from './evaluation/bits-per-byte.ts';
import {readDocuments} from './evaluation/read-documents.ts';
import {resolvePrecision} from './resolve-precision.ts';
import {Trainer} from './trainer.ts';
import type {TrainingConfig} from './training-config.ts';
import {TrainingFolder} from './training-folder.ts';
import {TrainingLog, type TrainingLogLine} from './training-log.ts';
import type {TrainingState} from './training-state.ts';
import {TrainingWindow} from './training-window.ts';

export type RunTrainingOptions = {
  readonly training: TrainingConfig;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** The tokenizer's file, to go with the model; absent for the byte tokenizer. */
  readonly tokenizerPath?: string | undefined;
  /** What to begin with, by the names of docs/model.md. */
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly corpus: Corpus;
  readonly validation?: Corpus | undefined;
  /** The folder of the run. */
  readonly out: string;
  /** Whether to go on with the run that the folder holds. @default false */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  /** Told of each step, and of what a validation gave. */
  readonly onProgress?: (progress: TrainingProgress) => void;
};

export type TrainingProgress = {
  readonly step: number;
  readonly steps: number;
  readonly epochs: number;
  readonly line: TrainingLogLine;
};

/** What a run ended with. */
export type TrainingResult = {
  readonly step: number;
  readonly tokens: number;
  readonly best?: number;
  readonly stopped: boolean;
};

/**
 * Trains a model until its steps are done or `signal` is aborted, and saves: after every so many steps, and at the end. Going on from a save
 * computes what an uninterrupted run computes, to the bit.
 *
 * @throws {EngineUnavailableError} If the engine cannot multiply in the configuration's precision.
 * @throws {ModelError} If the folder holds a run that does not go with these options, or cannot be written; what was saved before stays.
 * @throws {NumericalError} If a loss or a gradient is not finite; what was saved before stays.
 */
export async function runTraining(given: RunTrainingOptions): Promise<TrainingResult> {
  const training = {...given.training, precision: resolvePrecision(given.training.precision)};
  const options = {...given, training};
  const {config, tokenizer, corpus, out, resume = false, signal, onProgress} = options;
  const folder = new TrainingFolder(out);
  await folder.make();
  const identity = identityOf(options);
  const saved = await folder.readState();
  if (saved !== undefined) checkSaved(saved.state, {identity, resume, out});
  const rows = await CorpusRows.open({
    corpus,
    tokenizer,
    rows: training.batch,
    segmentLength: config.segmentLength,
    seed: training.seed,
    position: saved?.state.position,
  });
  let best = saved?.state.best;
  try {
    using trainer = new Trainer({
      training,
      config,
      rows,
      tensors: saved?.tensors ?? options.weights,
      state: saved?.state,
    });
    const log = await TrainingLog.open(folder.logPath, trainer.step);
    const tell = async (line: TrainingLogLine) => {
      await log.add(line);
      onProgress?.({step: trainer.step, steps: training.steps, epochs: rows.epochs, line});
    };
    const save = async () => {
      const {state, tensors} = trainer.state();
      await folder.writeState({version: 1, identity, ...state, ...(best !== undefined && {best})}, tensors);
      await folder.writeModel('last', modelOf(options, trainer));
      await folder.writePicture(picture(training.name, log.lines));
    };
    let window = new TrainingWindow();
    let savedAt = trainer.step;
    while (trainer.step < training.steps && signal?.aborted !== true) {
      window.add(await trainer.train());
      const {step, tokens} = trainer;
      const last = step === training.steps;
      if (step % training.logEvery === 0 || last) {
        await tell({step, tokens, ...window.summary()});
        window = new TrainingWindow();
      }
      if (options.validation !== undefined && (step % training.validateEvery === 0 || last)) {
        const measured = await validate(trainer, options);
        if (measured === undefined) continue;
        await tell({step, tokens, validationBitsPerByte: measured});
        if (best === undefined || measured < best) {
          best = measured;
          await folder.writeModel('best', modelOf(options, trainer));
        }
      }
      if (step % training.saveEvery === 0 || last) {
        await save();
        savedAt = step;
      }
      // Signals are heard between steps.
      await new Promise(setImmediate);
    }
    if (trainer.step > savedAt) await save();
    return {
      step: trainer.step,
      tokens: trainer.tokens,
      ...(best !== undefined && {best}),
      stopped: trainer.step < training.steps,
    };
  } finally {
    await rows.close();
  }
}

/** What decides what a run computes, by name. */
function identityOf({training, config, tokenizer, corpus, weights: _}: RunTrainingOptions): Record<string, unknown> {
  const {
    name,
    validateEvery,
    validationTokens,
    saveEvery,
    logEvery,
    model,
    tokenizer: _path,
    precision,
    ...rest
  } = training;
  // Runs of versions that had no other precision say nothing of it.
  const decisive = {
    ...rest,
    ...(precision !== 'float32' && {precision}),
    ...config,
    tokenizer: tokenizer.fingerprint,
    documents: corpus.digest,
  };
  return JSON.parse(JSON.stringify(decisive)) as Record<string, unknown>;
}

function checkSaved(
  saved: TrainingState,
  {identity, resume, out}: {identity: Readonly<Record<string, unknown>>; resume: boolean; out: string},
): void {
  if (!resume) {
    throw new ModelError(
      `Cannot train into "${out}" as it holds a run of ${saved.step} steps: go on with it by "--resume", or choose another folder`,
    );
  }
  const names = new Set([...Object.keys(identity), ...Object.keys(saved.identity)]);
  for (const name of names) {
    if (isDeepStrictEqual(identity[name], saved.identity[name])) continue;
    const show = (value: unknown) => JSON.stringify(value) ?? 'nothing';
    throw new ModelError(
      name === 'documents'
        ? `Cannot resume "${out}" as its training documents must be the same, in the same order: they have changed; restore them, or begin anew in another folder`
        : `Cannot resume "${out}" as ${name} must be as when it began, ${show(saved.identity[name])}: current value is ${show(identity[name])}`,
    );
  }
}

function modelOf({training, config, tokenizerPath}: RunTrainingOptions, trainer: Trainer) {
  return {
    name: training.name,
    config,
    trained: true,
    weights: trainer.weights(),
    ...(tokenizerPath !== undefined && {tokenizerPath}),
  };
}

/** Bits per byte of the validation documents; undefined if stopped meanwhile. */
async function validate(
  trainer: Trainer,
  {training, config, tokenizer, validation, signal}: RunTrainingOptions,
): Promise<number | undefined> {
  await using model = new LocalModel({name: training.name, fingerprint: '', config, weights: trainer.weights()});
  try {
    const {documents} = validation!;
    const stretches = readDocuments(model, documents, {
      tokenizer,
      batch: training.microBatch,
      mostTokens: training.validationTokens,
      signal,
    });
    return (await bitsPerByte(stretches)).bitsPerByte;
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}

function picture(name: string, lines: readonly TrainingLogLine[]): string {
  const curve = (label: string, pick: (line: TrainingLogLine) => number | undefined): Curve => ({
    name: label,
    points: lines.flatMap(line => {
      const y = pick(line);
      return y === undefined ? [] : [{x: line.tokens / 1e6, y}];
    }),
  });
  return drawCurves(
    [curve('training', line => line.bitsPerByte), curve('validation', line => line.validationBitsPerByte)],
    {title: name, xLabel: 'million tokens', yLabel: 'bits per byte'},
  );
}
