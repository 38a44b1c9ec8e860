import type {ModelConfig} from '../model/model-config.ts';
import type {PrecisionChoice} from '../model/precision.ts';
import type {CompressionLossName} from './compression-loss.ts';
import type {ContinuedModel} from './continued-model.ts';
import type {LearningRateSchedule} from './optimiser/learning-rate.ts';

/** How often weights are updated from a step on. */
export type UpdateFrequency = {
  readonly fromStep: number;
  /** Steps between two updates; the gradients of all of them count. */
  readonly every: number;
};

/** Everything that decides what a training run computes. A step is one segment, or two by backpropagation, of every row. */
export type TrainingConfig = {
  readonly name: string;
  /** "byte", or the path of a tokenizer.json. */
  readonly tokenizer: string;
  /** Sizes of the model, or a model to go on from. */
  readonly model: Omit<ModelConfig, 'vocabularySize'> | ContinuedModel;
  /** Of weights, order of documents and dropout. @default 1 */
  readonly seed: number;
  /** Steps in all. */
  readonly steps: number;
  /** Rows, each of which reads documents of its own. @default 16 */
  readonly batch: number;
  /** Rows in one call of the engine: fewer take less memory. Divides `batch`. @default `batch` */
  readonly microBatch: number;
  /**
   * How matrix products multiply, forward and backward; weights, moments, sums, losses and gradients are float32 in any. `auto`: bfloat16
   * where the processor is faster by it. @default 'float32'
   */
  readonly precision: PrecisionChoice;
  readonly learningRate: Omit<LearningRateSchedule, 'totalSteps'>;
  /** Greatest global norms of gradients. @default 0.1 each */
  readonly clip: {readonly main: number; readonly auxiliary: number};
  /** @default what the compressor can learn by: "attention-reconstruction" or "none" */
  readonly compressionLoss?: CompressionLossName;
  /** Probability of dropping. @default 0 */
  readonly dropout: number;
  /** In the order of `fromStep`, the first from step 0. @default each step */
  readonly updates: readonly UpdateFrequency[];
  /** Whether only the text between the markers of Project Gutenberg counts. @default false */
  readonly gutenberg: boolean;
  /** Steps between two validations. @default 500 */
  readonly validateEvery: number;
  /** Tokens of each document that validation reads. @default 65536 */
  readonly validationTokens: number;
  /** Steps between two saves. @default 500 */
  readonly saveEvery: number;
  /** Steps between two lines of the log. @default 10 */
  readonly logEvery: number;
};
