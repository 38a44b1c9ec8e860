import type {ModelConfig} from '../model/model-config.ts';
import type {PrecisionChoice} from '../model/precision.ts';
import {validateModelConfig} from '../model/validate-model-config.ts';
import {type CompressionLossName, compressionLossNames} from './compression-loss.ts';
import type {ContinuedModel} from './continued-model.ts';
import {resolveCompressionLoss} from './resolve-compression-loss.ts';
import type {TrainingConfig} from './training-config.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Those that a model to go on from may change. */
const memoryFields = [
  'segmentLength',
  'memoryLength',
  'compressedMemoryLength',
  'compressionRate',
  'compressor',
] as const satisfies readonly (keyof ContinuedModel)[];

const modelFields = [
  ...memoryFields,
  'layers',
  'heads',
  'modelWidth',
  'feedForwardWidth',
] as const satisfies readonly (keyof ModelConfig)[];

/**
 * Checks the content of a training configuration, and fills in defaults.
 *
 * @throws {TypeError} If a field is missing, unknown or of another type; names it.
 * @throws {RangeError} If a value is out of range, or values do not go together.
 */
export function parseTrainingConfig(json: unknown): TrainingConfig {
  const fields = objectOf(json, 'the configuration');
  const {model} = fields;
  const known = [
    ...required,
    ...Object.keys(defaults),
    'seed',
    'microBatch',
    'dropout',
    'gutenberg',
    'precision',
    'compressionLoss',
    'learningRate',
    'clip',
    'updates',
  ];
  refuseUnknown(fields, known, 'the configuration');
  for (const name of required) {
    if (fields[name] === undefined)
      throw new TypeError(`Cannot train as the configuration must have ${name}: it is missing`);
  }
  const text = (name: string) => {
    const value = fields[name] ?? defaults[name as keyof typeof defaults];
    if (typeof value === 'string' && value !== '') return value;
    throw new TypeError(`Cannot train as ${name} must be a string that is not empty: current value is ${show(value)}`);
  };
  const size = (name: string, least = 1) =>
    wholeNumber(fields[name] ?? defaults[name as keyof typeof defaults], name, least);
  const batch = size('batch');
  const microBatch = wholeNumber(fields.microBatch ?? batch, 'microBatch', 1);
  if (batch % microBatch !== 0) {
    throw new RangeError(`Cannot train as microBatch must divide batch (${batch}): current value is ${microBatch}`);
  }
  const steps = size('steps');
  const dropout = numberBetween(fields.dropout ?? 0, 'dropout', {least: 0, below: 1});
  const {gutenberg = false} = fields;
  if (typeof gutenberg !== 'boolean') {
    throw new TypeError(`Cannot train as gutenberg must be true or false: current value is ${show(gutenberg)}`);
  }
  const sizes = parseModel(model);
  return {
    name: text('name'),
    tokenizer: text('tokenizer'),
    model: sizes,
    seed: wholeNumber(fields.seed ?? 1, 'seed', 0),
    steps,
    batch,
    microBatch,
    precision: parsePrecision(fields.precision),
    learningRate: parseLearningRate(fields.learningRate),
    clip: parseClip(fields.clip),
    ...parseCompressionLoss(fields.compressionLoss, sizes),
    dropout,
    updates: parseUpdates(fields.updates),
    gutenberg,
    validateEvery: size('validateEvery'),
    validationTokens: size('validationTokens', 2),
    saveEvery: size('saveEvery'),
    logEvery: size('logEvery'),
  };
}

const precisions: readonly PrecisionChoice[] = ['float32', 'bfloat16', 'auto'];

const required = ['name', 'model', 'steps', 'learningRate'] as const;

const defaults = {
  tokenizer: 'byte',
  batch: 16,
  validateEvery: 500,
  validationTokens: 65_536,
  saveEvery: 500,
  logEvery: 10,
} as const;

function parseModel(value: unknown): TrainingConfig['model'] {
  if (typeof value === 'string') return {from: value};
  const fields = objectOf(value, 'model, unless it is the folder of one,');
  return 'from' in fields ? continuedModel(fields) : modelSizes(fields);
}

/** Lengths are checked with the sizes of the model, which are known when it is read. */
function continuedModel(fields: Fields): ContinuedModel {
  refuseUnknown(fields, ['from', ...memoryFields], 'a model to go on from');
  const {from, ...memories} = fields;
  if (typeof from === 'string' && from !== '') return {from, ...memories};
  throw new TypeError(`Cannot train as model.from must be the folder of a model: current value is ${show(from)}`);
}

function modelSizes(fields: Fields): Omit<ModelConfig, 'vocabularySize'> {
  refuseUnknown(fields, modelFields, 'model');
  const sizes = Object.fromEntries(modelFields.map(name => [name, fields[name]])) as Omit<
    ModelConfig,
    'vocabularySize'
  >;
  validateModelConfig({...sizes, vocabularySize: 1});
  return sizes;
}

function parsePrecision(value: unknown = 'float32'): PrecisionChoice {
  if (precisions.includes(value as PrecisionChoice)) return value as PrecisionChoice;
  throw new RangeError(
    `Cannot train as precision must be one of ${precisions.join(', ')}: current value is ${show(value)}`,
  );
}

function parseLearningRate(value: unknown): TrainingConfig['learningRate'] {
  const fields = objectOf(value, 'learningRate');
  refuseUnknown(fields, ['peak', 'floor', 'warmUpSteps'], 'learningRate');
  const peak = numberBetween(fields.peak, 'learningRate.peak', {above: 0, most: 1});
  return {
    peak,
    floor: numberBetween(fields.floor ?? 1e-6, 'learningRate.floor', {least: 0, most: peak}),
    warmUpSteps: wholeNumber(fields.warmUpSteps ?? 0, 'learningRate.warmUpSteps', 0),
  };
}

function parseClip(value: unknown = {}): TrainingConfig['clip'] {
  const fields = objectOf(value, 'clip');
  refuseUnknown(fields, ['main', 'auxiliary'], 'clip');
  const limit = (name: string) => numberBetween(fields[name] ?? 0.1, `clip.${name}`, {above: 0});
  return {main: limit('main'), auxiliary: limit('auxiliary')};
}

function parseUpdates(value: unknown = [{fromStep: 0, every: 1}]): TrainingConfig['updates'] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`Cannot train as updates must be a list that is not empty: current value is ${show(value)}`);
  }
  const updates = value.map((entry, index) => {
    const name = `updates[${index}]`;
    const fields = objectOf(entry, name);
    refuseUnknown(fields, ['fromStep', 'every'], name);
    return {
      fromStep: wholeNumber(fields.fromStep, `${name}.fromStep`, 0),
      every: wholeNumber(fields.every, `${name}.every`, 1),
    };
  });
  for (const [index, {fromStep}] of updates.entries()) {
    const before = updates[index - 1]?.fromStep ?? -1;
    if (index === 0 ? fromStep === 0 : fromStep > before) continue;
    throw new RangeError(
      `Cannot train as updates must begin with fromStep 0 and go on upwards: current value of updates[${index}] is ${fromStep}`,
    );
  }
  return updates;
}

function parseCompressionLoss(value: unknown, model: TrainingConfig['model']): Pick<TrainingConfig, 'compressionLoss'> {
  if (value !== undefined && !compressionLossNames.includes(value as CompressionLossName)) {
    throw new RangeError(
      `Cannot train as compressionLoss must be one of ${compressionLossNames.join(', ')}: current value is ${show(value)}`,
    );
  }
  const choice = value as CompressionLossName | undefined;
  // The sizes of a model that is gone on from are known when it is read.
  if ('from' in model) return choice === undefined ? {} : {compressionLoss: choice};
  return {compressionLoss: resolveCompressionLoss({...model, vocabularySize: 1}, choice)};
}

function objectOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TypeError(`Cannot train as ${name} must be an object: current value is ${show(value)}`);
}

function refuseUnknown(fields: Fields, known: readonly string[], where: string): void {
  const unknown = Object.keys(fields).find(name => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot train as ${where} must have no other fields than ${known.join(', ')}: current value is "${unknown}"`,
  );
}

function wholeNumber(value: unknown, name: string, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  const rule = `${name} must be a whole number, at least ${least}`;
  throw new (typeof value === 'number' ? RangeError : TypeError)(
    `Cannot train as ${rule}: current value is ${show(value)}`,
  );
}

function numberBetween(
  value: unknown,
  name: string,
  {least, above, most, below}: {least?: number; above?: number; most?: number; below?: number},
): number {
  const bounds = [
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  const message = `Cannot train as ${name} must be a number ${bounds.join(' and ')}: current value is ${show(value)}`;
  if (typeof value !== 'number') throw new TypeError(message);
  const inside =
    Number.isFinite(value) &&
    value >= (least ?? -Infinity) &&
    value > (above ?? -Infinity) &&
    value <= (most ?? Infinity) &&
    value < (below ?? Infinity);
  if (!inside) throw new RangeError(message);
  return value;
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
