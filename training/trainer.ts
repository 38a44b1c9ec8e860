import {NumericalError} from '../errors.ts';
import {type CompiledFunction, compile} from '../model/compile/compile.ts';
import type {SpecsOf} from '../model/compile/tensor-spec.ts';
import {disposeTensors} from '../model/dispose-tensors.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {tf} from '../model/tf.ts';
import {tidy} from '../model/tidy.ts';
import {checkFinite} from './check-finite.ts';
import type {CompressionLossName} from './compression-loss.ts';
import type {CorpusRows, RowSegment} from './documents/corpus-rows.ts';
import {type GradientNorms, gradientNorms} from './gradient-norms.ts';
import {composedTrainingKernels} from './kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from './kernels/fused-training-kernels.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';
import {LearnedTensors} from './learned-tensors.ts';
import {MicroBatch} from './micro-batch.ts';
import {adamDecay} from './optimiser/adam.ts';
import {learningRate} from './optimiser/learning-rate.ts';
import {resolveCompressionLoss} from './resolve-compression-loss.ts';
import {resolvePrecision} from './resolve-precision.ts';
import {sumPresent} from './sum-present.ts';
import {type TrainableWeights, trainableWeights} from './trainable-weights.ts';
import type {TrainingConfig} from './training-config.ts';
import type {TrainingState} from './training-state.ts';
import {
  type TrainingStepInputs,
  type TrainingStepOptions,
  type TrainingStepOutputs,
  trainingStep,
} from './training-step.ts';

export type TrainerOptions = {
  readonly training: TrainingConfig;
  readonly config: ModelConfig;
  readonly rows: CorpusRows;
  /** What to begin with: weights by the names of docs/model.md, or all tensors of a state. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Where to go on; without it the run begins. */
  readonly state?: TrainingState | undefined;
};

/** What one step gave; norms, before clipping, only if it updated. */
export type StepReport = GradientNorms & {
  readonly step: number;
  /** Targets of the step. */
  readonly tokens: number;
  /** Sum over the targets, in nats. */
  readonly nats: number;
  /** Bytes that the targets stand for. */
  readonly bytes: number;
  readonly auxiliaryLoss?: number;
  readonly learningRate: number;
};

/**
 * Trains a Compressive Transformer on the current engine, step by step. All that a run depends on is its configuration, its corpus and its
 * state, so that one that goes on from a state computes what an uninterrupted one computes, to the bit.
 */
export class Trainer implements Disposable {
  readonly config: ModelConfig;
  readonly #training: TrainingConfig;
  readonly #compressionLoss: CompressionLossName;
  readonly #rows: CorpusRows;
  readonly #trainable: TrainableWeights;
  readonly #names: readonly string[];
  readonly #kernels: TrainingKernels;
  readonly #learned: LearnedTensors;
  readonly #microBatches: MicroBatch[];
  readonly #compiled = new Map<string, CompiledFunction<TrainingStepInputs, TrainingStepOutputs>>();
  #step: number;
  #updates: number;
  #pending: number;
  #tokens: number;

  /**
   * @throws {RangeError} If the compression loss cannot train the model's compressors.
   * @throws {ModelError} If a tensor is missing or has another shape.
   */
  constructor({training, config, rows, tensors, state}: TrainerOptions) {
    this.config = config;
    this.#training = training;
    this.#rows = rows;
    this.#compressionLoss = resolveCompressionLoss(config, training.compressionLoss);
    this.#trainable = trainableWeights(config, this.#compressionLoss);
    const shapes = new Map([...this.#trainable.main, ...this.#trainable.auxiliary]);
    this.#names = [...shapes.keys()];
    this.#kernels = fusedTrainingKernels(resolvePrecision(training.precision)) ?? composedTrainingKernels;
    this.#step = state?.step ?? 0;
    this.#updates = state?.updates ?? 0;
    this.#pending = state?.pending ?? 0;
    this.#tokens = state?.tokens ?? 0;
    this.#learned = new LearnedTensors({
      shapes,
      tensors,
      goesOn: state !== undefined,
      accumulated: this.#pending > 0,
      seed: training.seed,
    });
    const {batch, microBatch} = training;
    this.#microBatches = Array.from({length: batch / microBatch}, (_, index) => {
      const counts = state?.counts.slice(index * microBatch, (index + 1) * microBatch);
      return new MicroBatch({config, size: microBatch, index, ...(counts && {saved: {tensors, counts}})});
    });
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  /** Targets read. */
  get tokens(): number {
    return this.#tokens;
  }

  /** The weights of the model as they are, in this process's memory. */
  weights(): Map<string, TensorData> {
    return this.#learned.readModel();
  }

  /**
   * All that {@link TrainerOptions} needs to go on from here.
   *
   * @throws {NumericalError} If a gradient of the steps since the last update is not finite.
   */
  state(): {
    state: Omit<TrainingState, 'version' | 'identity' | 'best'>;
    tensors: Map<string, TensorData>;
  } {
    const tensors = this.#learned.read();
    // Until an update nothing else looks at them, and what goes on from them could never update.
    for (const [name, {data}] of tensors) {
      if (name.startsWith('accumulated.')) checkGradient(name.slice('accumulated.'.length), data, this.#step);
    }
    for (const part of this.#microBatches) for (const [name, tensor] of part.read()) tensors.set(name, tensor);
    return {
      state: {
        step: this.#step,
        updates: this.#updates,
        pending: this.#pending,
        tokens: this.#tokens,
        position: this.#rows.position,
        counts: this.#microBatches.flatMap(({counts}) => counts),
      },
      tensors,
    };
  }

  /**
   * Reads the next segment of every row and learns from it.
   *
   * @throws {NumericalError} If a loss or a gradient is not finite, with where; the weights stay as they were.
   */
  async train(): Promise<StepReport> {
    const {microBatch, updates, learningRate: schedule, steps} = this.#training;
    const unrolled = this.#compressionLoss === 'backpropagation' ? 2 : 1;
    const segments: RowSegment[][] = [];
    for (let i = 0; i < unrolled; i++) segments.push(await this.#rows.next());
    const all = segments.flat();
    const tokens = all.reduce((sum, {targets}) => sum + targets.length, 0);
    const begun = this.#step - this.#pending;
    // All steps of an update weigh the same, and the last update has what is left.
    const every = Math.min(updates.findLast(({fromStep}) => fromStep <= begun)!.every, steps - begun);
    const updating = this.#pending + 1 >= every;
    const rate = learningRate(this.#step, {...schedule, totalSteps: steps});

    const rowsOf = (index: number) => segments.map(row => row.slice(index * microBatch, (index + 1) * microBatch));
    const evicting = this.#microBatches.reduce((sum, part, index) => sum + part.evicting(rowsOf(index)[0]!), 0);
    let nats = 0;
    let auxiliaryLoss = 0;
    let norms: GradientNorms = {};
    for (const [index, part] of this.#microBatches.entries()) {
      const update = updating && index === this.#microBatches.length - 1;
      const result = this.#call(part, rowsOf(index), {
        update,
        targetWeight: 1 / (tokens * every),
        documentWeight: 1 / (Math.max(1, evicting) * every),
        rate,
        index,
      });
      nats += result.nats;
      auxiliaryLoss += result.auxiliaryLoss;
      norms = result.norms;
    }
    this.#pending = updating ? 0 : this.#pending + 1;
    if (updating) this.#updates++;
    this.#step++;
    this.#tokens += tokens;
    return {
      step: this.#step,
      tokens,
      nats,
      bytes: all.reduce((sum, {targetBytes}) => sum + targetBytes, 0),
      ...(this.#trainable.auxiliary.size > 0 && {auxiliaryLoss: auxiliaryLoss * every}),
      ...norms,
      learningRate: rate,
    };
  }

  [Symbol.dispose](): void {
    for (const compiled of this.#compiled.values()) compiled[Symbol.dispose]();
    this.#learned[Symbol.dispose]();
    for (const part of this.#microBatches) part[Symbol.dispose]();
  }

  /** One call of the engine: some rows, forward and backward, and the update if it is due. */
  #call(
    part: MicroBatch,
    rows: readonly RowSegment[][],
    {
      update,
      targetWeight,
      documentWeight,
      rate,
      index,
    }: {update: boolean; targetWeight: number; documentWeight: number; rate: number; index: number},
  ): {nats: number; auxiliaryLoss: number; norms: GradientNorms} {
    const {outputs, counts, values} = tidy(() => {
      const {segments, counts} = part.prepare(rows, {targetWeight, documentWeight});
      const inputs: TrainingStepInputs = {
        weights: this.#learned.weights,
        segments,
        layers: part.layers,
        ...(this.#learned.accumulated && {accumulated: this.#learned.accumulated}),
        // Uses of a call are numbered from the second number on.
        seed: tf.tensor1d([this.#training.seed + this.#step, index << 16], 'int32'),
        ...(update && {
          update: {
            ...this.#learned.moments,
            schedule: {
              learningRate: tf.scalar(rate),
              firstCorrection: tf.scalar(1 - adamDecay.first ** (this.#updates + 1)),
              secondCorrection: tf.scalar(1 - adamDecay.second ** (this.#updates + 1)),
            },
          },
        }),
      };
      const given = this.#compute(inputs)(inputs);
      const {nats, auxiliaryLoss, updated, ...outputs} = given;
      return {
        outputs: {...outputs, ...(updated && {updated})},
        counts,
        values: {
          nats: nats.dataSync() as Float32Array,
          auxiliaryLoss: auxiliaryLoss?.dataSync()[0] ?? 0,
          squares: updated?.squaredNorms.dataSync() as Float32Array | undefined,
        },
      };
    });
    try {
      checkFinite(values, {
        step: this.#step + 1,
        rows,
        names: this.#names,
        segmentLength: this.config.segmentLength,
      });
    } catch (error) {
      disposeTensors(outputs);
      throw error;
    }
    part.replace(outputs.layers, counts);
    this.#learned.replace(outputs);
    outputs.updated?.squaredNorms.dispose();
    return {
      nats: sumPresent(values.nats, rows, this.config.segmentLength),
      auxiliaryLoss: values.auxiliaryLoss,
      norms: values.squares === undefined ? {} : gradientNorms(values.squares, this.#trainable.main.size),
    };
  }

  #compute(inputs: TrainingStepInputs): CompiledFunction<TrainingStepInputs, TrainingStepOutputs> {
    const key = `${inputs.accumulated !== undefined} ${inputs.update !== undefined}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const {dropout, clip} = this.#training;
      const options: TrainingStepOptions = {
        config: this.config,
        trainable: this.#trainable,
        compressionLoss: this.#compressionLoss,
        kernels: this.#kernels,
        dropout,
        clip,
      };
      compiled = compile((given: TrainingStepInputs) => trainingStep(given, options), {
        inputs: inputs as SpecsOf<TrainingStepInputs>,
      });
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}

function checkGradient(weight: string, gradient: TensorData['data'], step: number): void {
  const wrong = gradient.findIndex((value: number) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new NumericalError(
    `Cannot save at step ${step} as the gradient of "${weight}" must be finite: current value is ${gradient[wrong]}; train the last saved model on in a new folder, with a lower learning rate or clip`,
  );
}
