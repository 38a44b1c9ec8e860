import * as tf from '@tensorflow/tfjs';
import {NumericalError} from '../errors.ts';
import {type CompiledFunction, compile} from '../model/compile/compile.ts';
import type {SpecsOf} from '../model/compile/tensor-spec.ts';
import {disposeTensors} from '../model/dispose-tensors.ts';
import {type MemoryCounts, updateCounts} from '../model/memory-counts.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import type {RememberedRows} from '../model/project-memory.ts';
import {tidy} from '../model/tidy.ts';
import {checkFinite} from './check-finite.ts';
import type {CompressionLossName} from './compression-loss.ts';
import type {CorpusRows, RowSegment} from './documents/corpus-rows.ts';
import {emptyRemembered} from './empty-remembered.ts';
import {composedTrainingKernels} from './kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from './kernels/fused-training-kernels.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';
import {LearnedTensors} from './learned-tensors.ts';
import {adamDecay} from './optimiser/adam.ts';
import {learningRate} from './optimiser/learning-rate.ts';
import {padSegments} from './pad-segments.ts';
import {readTensor} from './read-tensor.ts';
import {resolveCompressionLoss} from './resolve-compression-loss.ts';
import {resolvePrecision} from './resolve-precision.ts';
import {segmentTensors} from './segment-tensors.ts';
import {sumPresent} from './sum-present.ts';
import {takeTensor} from './take-tensor.ts';
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

/** What one step gave. */
export type StepReport = {
  readonly step: number;
  /** Targets of the step. */
  readonly tokens: number;
  /** Sum over the targets, in nats. */
  readonly nats: number;
  /** Bytes that the targets stand for. */
  readonly bytes: number;
  readonly auxiliaryLoss?: number;
  /** Global norms before clipping, in steps that update. */
  readonly gradientNorm?: number;
  readonly auxiliaryGradientNorm?: number;
  readonly learningRate: number;
};

/** Rows that go through the engine together, and their memory. */
type MicroBatch = {counts: MemoryCounts[]; layers: readonly RememberedRows[]};

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
      const counts = Array.from({length: microBatch}, () => ({memory: 0, compressed: 0}));
      const layers = emptyRemembered(microBatch, config);
      if (state === undefined) return {counts, layers};
      const given = layers.map((layer, number) =>
        Object.fromEntries(
          Object.entries(layer).map(([name, tensor]) => [
            name,
            takeTensor(tensors, memoryName(index, number, name), tensor.shape),
          ]),
        ),
      );
      disposeTensors(layers);
      return {counts: state.counts.slice(index * microBatch, (index + 1) * microBatch), layers: given};
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
    for (const [index, {layers}] of this.#microBatches.entries()) {
      for (const [number, layer] of layers.entries()) {
        for (const [name, tensor] of Object.entries(layer)) {
          tensors.set(memoryName(index, number, name), readTensor(tensor));
        }
      }
    }
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

    for (const [index, {counts}] of this.#microBatches.entries()) {
      resetCounts(counts, segments[0]!.slice(index * microBatch, (index + 1) * microBatch));
    }
    const evicting = this.#microBatches
      .flatMap(({counts}) => counts)
      .filter(
        (count, row) =>
          updateCounts(count, this.config).evicted > 0 &&
          segments[0]![row]!.tokens.length === this.config.segmentLength,
      ).length;
    let nats = 0;
    let auxiliaryLoss = 0;
    let norms: Pick<StepReport, 'gradientNorm' | 'auxiliaryGradientNorm'> = {};
    for (const [index, part] of this.#microBatches.entries()) {
      const rows = segments.map(row => row.slice(index * microBatch, (index + 1) * microBatch));
      const update = updating && index === this.#microBatches.length - 1;
      const result = this.#call(part, rows, {
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
    disposeTensors(this.#microBatches.map(({layers}) => layers));
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
  ): {nats: number; auxiliaryLoss: number; norms: Pick<StepReport, 'gradientNorm' | 'auxiliaryGradientNorm'>} {
    let counts = part.counts;
    const {outputs, values} = tidy(() => {
      const inputs: TrainingStepInputs = {
        weights: this.#learned.weights,
        segments: rows.map(segment => {
          counts = counts.slice();
          resetCounts(counts, segment);
          const tensors = segmentTensors(
            {...padSegments(segment, this.config.segmentLength), counts},
            {config: this.config, targetWeight, documentWeight},
          );
          counts = counts.map(count => updateCounts(count, this.config).counts);
          return tensors;
        }),
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
    disposeTensors(part.layers);
    part.layers = outputs.layers;
    part.counts = counts;
    this.#learned.replace(outputs);
    outputs.updated?.squaredNorms.dispose();
    return {
      nats: sumPresent(values.nats, rows, this.config.segmentLength),
      auxiliaryLoss: values.auxiliaryLoss,
      norms: this.#norms(values.squares),
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

  #norms(squares: Float32Array | undefined): Pick<StepReport, 'gradientNorm' | 'auxiliaryGradientNorm'> {
    if (squares === undefined) return {};
    const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value, 0));
    const main = this.#trainable.main.size;
    return {
      gradientNorm: norm(squares.subarray(0, main)),
      ...(squares.length > main && {auxiliaryGradientNorm: norm(squares.subarray(main))}),
    };
  }
}

function checkGradient(weight: string, gradient: TensorData['data'], step: number): void {
  const wrong = gradient.findIndex((value: number) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new NumericalError(
    `Cannot save at step ${step} as the gradient of "${weight}" must be finite: current value is ${gradient[wrong]}; go on from the last save with a lower learning rate or clip`,
  );
}

function memoryName(microBatch: number, layer: number, name: string): string {
  return `memory.${microBatch}.${layer}.${name}`;
}

/** Rows whose document begins remember nothing. */
function resetCounts(counts: MemoryCounts[], segments: readonly RowSegment[]): void {
  for (let row = 0; row < counts.length; row++) {
    if (segments[row]!.first) counts[row] = {memory: 0, compressed: 0};
  }
}
