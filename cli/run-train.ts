import {dirname, resolve} from 'node:path';
import {EngineUnavailableError, ModelError} from '../errors.ts';
import {type EngineName, openEngine} from '../model/engine/engine.ts';
import {prepareEngineEnvironment} from '../model/engine/prepare-engine-environment.ts';
import {modelDirectoryFiles} from '../model/model-directory/model-directory-files.ts';
import {readModelDirectory} from '../model/model-directory/read-model-directory.ts';
import {readJsonFile} from '../model/read-json-file.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {HuggingFaceTokenizer} from '../model/tokenizer/hugging-face-tokenizer.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import {changeMemories} from '../training/change-memories.ts';
import {parseTrainingConfig} from '../training/parse-training-config.ts';
import {type RunTrainingOptions, runTraining} from '../training/run-training.ts';
import type {TrainingConfig} from '../training/training-config.ts';
import {countOf} from './count-of.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';
import {TrainingDisplay} from './training-display.ts';

export type TrainOptions = {
  readonly data: readonly string[];
  readonly valid?: readonly string[];
  readonly config: string;
  readonly out: string;
  readonly resume?: boolean;
  readonly engine: EngineName | 'auto';
  readonly threads?: number;
  readonly quiet?: boolean;
};

/** Runs `palimpsest train`. */
export async function runTrain(options: TrainOptions): Promise<void> {
  using stop = stopSignals();
  const {signal} = stop;
  const quiet = options.quiet ?? false;
  const say = (line: string) => {
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  const training = parseTrainingConfig(await readJsonFile(options.config));
  const begin = await openBeginning(training, options.config);
  prepareEngineEnvironment(options);
  const engine = await openEngine(options.engine);
  if (engine.tensorflowVersion === undefined) {
    throw new EngineUnavailableError(
      `Cannot train with engine "${engine.name}" as it must be TensorFlow: install it with "palimpsest native install"`,
    );
  }
  const {gutenberg} = training;
  const open = (patterns: readonly string[]) => openFileCorpus(patterns, {gutenberg, leastBytes, signal});
  try {
    const corpus = await open(options.data);
    const validation = options.valid === undefined ? undefined : await open(options.valid);
    say(
      `Training on ${countOf(corpus.documents.length, 'document')} of ${(corpus.bytes / 1e6).toFixed(1)} MB with ${engine.description}`,
    );
    using display = new TrainingDisplay({quiet});
    const result = await runTraining({
      training,
      ...begin,
      corpus,
      validation,
      out: options.out,
      resume: options.resume ?? false,
      signal,
      onBegin: begin => display.begin(begin),
      onProgress: progress => display.show(progress),
    });
    display[Symbol.dispose]();
    if (result.stopped) signal.throwIfAborted();
    const best = result.best === undefined ? '' : `, best validation ${result.best.toFixed(4)} bits per byte`;
    say(`Trained ${countOf(result.step, 'step')}, ${countOf(result.tokens, 'token')}${best}: ${options.out}`);
  } catch (error) {
    if (!(error instanceof StopRequest)) throw error;
    process.exitCode = error.exitCode;
    say(`${error.message}; --resume goes on from the last save in "${options.out}"`);
  }
}

/** Fewer bytes than this make no two tokens worth a row, of whatever tokenizer. */
const leastBytes = 16;

/** Model, tokenizer and weights to begin with. */
async function openBeginning(
  training: TrainingConfig,
  configPath: string,
): Promise<Pick<RunTrainingOptions, 'config' | 'tokenizer' | 'tokenizerPath' | 'weights'>> {
  const beside = (path: string) => resolve(dirname(configPath), path);
  if ('from' in training.model) {
    const {from, ...memories} = training.model;
    const folder = beside(from);
    const {tokenizer, ...model} = await readModelDirectory(folder);
    if (training.tokenizer !== 'byte') {
      throw new ModelError(
        `Cannot train as a model that is gone on from brings its tokenizer: current value of tokenizer is "${training.tokenizer}"; leave it out`,
      );
    }
    const tokenizerPath =
      tokenizer instanceof ByteTokenizer ? undefined : resolve(folder, modelDirectoryFiles.tokenizer);
    return {tokenizer, tokenizerPath, ...changeMemories(model, memories, training)};
  }
  const tokenizerPath = training.tokenizer === 'byte' ? undefined : beside(training.tokenizer);
  const tokenizer = tokenizerPath === undefined ? new ByteTokenizer() : await HuggingFaceTokenizer.open(tokenizerPath);
  const config = {...training.model, vocabularySize: tokenizer.vocabularySize};
  return {config, tokenizer, tokenizerPath, weights: initialiseWeights(config, training.seed)};
}
