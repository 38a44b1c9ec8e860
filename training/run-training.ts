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
import {resolveCompressionLoss} from './resolve-compression-loss.ts';
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
  /** Told once, before the first step. */
  readonly onBegin?: (begin: {readonly step: number; readonly steps: number}) => void;
  /** Told of each step, and of what a validation gave. */
  readonly onProgress?: (progress: TrainingProgress) => void;
};

/** How far a run is. */
export type TrainingProgress = {
  /** Steps done. */
  readonly step: number;
  /** In all. */
  readonly steps: number;
  /** Times that all documents were read. */
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
 * @throws {RangeError} If the compression loss cannot train the model's compressors.
 * @throws {EngineUnavailableError} If the engine cannot multiply in the configuration's precision.
 * @throws {ModelError} If a validation document is trained on as well, or the folder holds a run that is at work or does not go with these options, or other
 * things under the names of its models, or cannot be written; what was saved before stays.
 * @throws {NumericalError} If a loss or a gradient is not finite; what was saved before stays.
 */
export async function runTraining(given: RunTrainingOptions): Promise<TrainingResult> {
  const training = {
    ...given.training,
    precision: resolvePrecision(given.training.precision),
    compressionLoss: resolveCompressionLoss(given.config, given.training.compressionLoss),
  };
  const options = {...given, training};
  if (options.validation !== undefined) checkHeldOut(options.validation, options.corpus);
  const folder = new TrainingFolder(options.out);
  await folder.make();
  const claim = await folder.claim();
  try {
    return await runIn(folder, options);
  } finally {
    claim.remove();
  }
}

async function runIn(folder: TrainingFolder, options: RunTrainingOptions): Promise<TrainingResult> {
  const {training, config, tokenizer, corpus, validation, out, resume = false, signal, onBegin, onProgress} = options;
  const identity = identityOf(options);
  let saved = await folder.readState();
  if (saved === undefined) await folder.checkUnused();
  else checkSaved(saved.state, {identity, resume, out});
  await folder.removeUnfinished();
  const rows = await CorpusRows.open({
    corpus,
    tokenizer,
    rows: training.batch,
    segmentLength: config.segmentLength,
    seed: training.seed,
    position: saved?.state.position,
  });
  let {best, validationDue = false} = saved?.state ?? {};
  const begun = saved !== undefined;
  try {
    using trainer = new Trainer({
      training,
      config,
      rows,
      tensors: saved?.tensors ?? options.weights,
      state: saved?.state,
    });
    // As large as three models, and in the engine by now.
    saved = undefined;
    const log = await TrainingLog.open(folder.logPath, {step: trainer.step, validationDue});
    const tell = async (line: TrainingLogLine) => {
      await log.add(line);
      onProgress?.({step: trainer.step, steps: training.steps, epochs: rows.epochs, line});
    };
    const save = async () => {
      const {state, tensors} = trainer.state();
      const validated = {...(best !== undefined && {best}), ...(validationDue && {validationDue})};
      await folder.writeState({version: 1, identity, ...state, ...validated}, tensors);
      await folder.writeModel('last', modelOf(options, trainer));
      await folder.writePicture(picture(training.name, log.lines));
      savedAt = trainer.step;
    };
    const validateIfDue = async () => {
      if (!validationDue) return;
      const measured = await validate(trainer, options);
      if (measured === undefined) return;
      if (best === undefined || measured < best) {
        // No model is ever there without a state that goes on to it.
        if (!begun && savedAt === undefined) await save();
        await folder.writeModel('best', modelOf(options, trainer));
        best = measured;
      }
      validationDue = false;
      await tell({step: trainer.step, tokens: trainer.tokens, validationBitsPerByte: measured});
    };
    // What was resumed does not count as saved: that save may have broken off behind its state.
    let savedAt: number | undefined;
    let window = new TrainingWindow();
    onBegin?.({step: trainer.step, steps: training.steps});
    await validateIfDue();
    while (trainer.step < training.steps && signal?.aborted !== true) {
      const started = performance.now();
      window.add(await trainer.train(), performance.now() - started);
      const {step, tokens} = trainer;
      const last = step === training.steps;
      if (step % training.logEvery === 0 || last) {
        await tell({step, tokens, ...window.summary()});
        window = new TrainingWindow();
      }
      validationDue = validation !== undefined && (step % training.validateEvery === 0 || last);
      await validateIfDue();
      if (step % training.saveEvery === 0 || last) await save();
      // Signals are heard between steps.
      await new Promise(setImmediate);
    }
    if (savedAt !== trainer.step) await save();
    return {
      step: trainer.step,
      tokens: trainer.tokens,
      ...(best !== undefined && {best}),
      stopped: trainer.step < training.steps || validationDue,
    };
  } finally {
    await rows.close();
  }
}

/** What decides what a run computes, by name. */
function identityOf({training, config, tokenizer, corpus, validation}: RunTrainingOptions): Record<string, unknown> {
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
    ...(validation !== undefined && {validation: validation.digest, validationTokens}),
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
    const documents = {documents: 'training', validation: 'validation'}[name];
    throw new ModelError(
      documents !== undefined
        ? `Cannot resume "${out}" as its ${documents} documents must be the same, in the same order: they have changed; restore them, or begin anew in another folder`
        : `Cannot resume "${out}" as ${name} must be as when it began, ${show(saved.identity[name])}: current value is ${show(identity[name])}`,
    );
  }
}

/** What is learnt by heart says nothing of which model is best. */
function checkHeldOut(validation: Corpus, corpus: Corpus): void {
  const trained = new Map(corpus.documents.map(({digest, id}) => [digest, id]));
  for (const {id, digest} of validation.documents) {
    const same = trained.get(digest);
    if (same === undefined) continue;
    throw new ModelError(
      `Cannot validate with "${id}" as it must not be trained on: it is the same as "${same}" of the training documents; leave one of them out`,
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
