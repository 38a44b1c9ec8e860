import * as tf from '@tensorflow/tfjs';
import {ModelError, NumericalError} from '../errors.ts';
import {type CompiledFunction, compile} from '../model/compile/compile.ts';
import type {SpecsOf} from '../model/compile/tensor-spec.ts';
import {disposeTensors} from '../model/dispose-tensors.ts';
import {type MemoryCounts, updateCounts} from '../model/memory-counts.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import type {RememberedRows} from '../model/project-memory.ts';
import {tidy} from '../model/tidy.ts';
import {RandomNormals} from '../model/weights/random-normals.ts';
import {checkCompressionLoss} from './check-compression-loss.ts';
import type {CorpusRows, RowSegment} from './documents/corpus-rows.ts';
import {emptyRemembered} from './empty-remembered.ts';
import {composedTrainingKernels} from './kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from './kernels/fused-training-kernels.ts';
import type {TrainingKernels} from './kernels/training-kernels.ts';
import {adamDecay} from './optimiser/adam.ts';
import {learningRate} from './optimiser/learning-rate.ts';
import {resolvePrecision} from './resolve-precision.ts';
import {type SegmentRows, segmentTensors} from './segment-tensors.ts';
import {type TrainableWeights, trainableWeights} from './trainable-weights.ts';
import type {TrainingConfig} from './training-config.ts';
import type {TrainingState} from './training-state.ts';
import {
  type NamedTensors,
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
  readonly #rows: CorpusRows;
  readonly #trainable: TrainableWeights;
  readonly #names: readonly string[];
  readonly #kernels: TrainingKernels;
  readonly #microBatches: MicroBatch[];
  readonly #compiled = new Map<string, CompiledFunction<TrainingStepInputs, TrainingStepOutputs>>();
  #weights: NamedTensors;
  #first: NamedTensors;
  #second: NamedTensors;
  #accumulated: NamedTensors | undefined;
  #step: number;
  #updates: number;
  #pending: number;
  #tokens: number;

  /** @throws {ModelError} If a tensor is missing or has another shape. */
  constructor({training, config, rows, tensors, state}: TrainerOptions) {
    checkCompressionLoss(config, training.compressionLoss);
    this.config = config;
    this.#training = training;
    this.#rows = rows;
    this.#trainable = trainableWeights(config, training.compressionLoss);
    const shapes = new Map([...this.#trainable.main, ...this.#trainable.auxiliary]);
    this.#names = [...shapes.keys()];
    this.#kernels = fusedTrainingKernels(resolvePrecision(training.precision)) ?? composedTrainingKernels;
    const take = (name: string, shape: readonly number[]) => {
      const tensor = tensors.get(name);
      if (tensor === undefined || !tf.util.arraysEqual(tensor.shape as number[], shape as number[])) {
        throw new ModelError(
          `Cannot train as tensor "${name}" must have shape [${shape}]: current value is ${tensor === undefined ? 'missing' : `[${tensor.shape}]`}; weights and configuration must belong together`,
        );
      }
      return tf.tensor(tensor.data.slice(), shape.slice());
    };
    const named = (make: (name: string, shape: readonly number[]) => tf.Tensor): NamedTensors =>
      Object.fromEntries([...shapes].map(([name, shape]) => [name, make(name, shape)]));
    this.#step = state?.step ?? 0;
    this.#updates = state?.updates ?? 0;
    this.#pending = state?.pending ?? 0;
    this.#tokens = state?.tokens ?? 0;
    if (state === undefined) {
      this.#weights = named((name, shape) =>
        name.endsWith('.decoder.weight') ? this.#newDecoder(name, shape) : take(name, shape),
      );
      this.#first = named((_, shape) => tf.zeros(shape.slice()));
      this.#second = named((_, shape) => tf.zeros(shape.slice()));
    } else {
      this.#weights = named(take);
      this.#first = named((name, shape) => take(`first.${name}`, shape));
      this.#second = named((name, shape) => take(`second.${name}`, shape));
      if (state.pending > 0) this.#accumulated = named((name, shape) => take(`accumulated.${name}`, shape));
    }
    const {batch, microBatch} = training;
    this.#microBatches = Array.from({length: batch / microBatch}, (_, index) => {
      const counts = Array.from({length: microBatch}, () => ({memory: 0, compressed: 0}));
      const layers = emptyRemembered(microBatch, config);
      if (state === undefined) return {counts, layers};
      const given = layers.map((layer, number) =>
        Object.fromEntries(
          Object.entries(layer).map(([name, tensor]) => [name, take(memoryName(index, number, name), tensor.shape)]),
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
    const model = this.#names.filter(name => !name.endsWith('.decoder.weight'));
    return new Map(model.map(name => [name, read(this.#weights[name]!)]));
  }

  /** All that {@link TrainerOptions} needs to go on from here. */
  state(): {
    state: Omit<TrainingState, 'version' | 'identity' | 'best'>;
    tensors: Map<string, TensorData>;
  } {
    const tensors = new Map<string, TensorData>();
    for (const name of this.#names) {
      tensors.set(name, read(this.#weights[name]!));
      tensors.set(`first.${name}`, read(this.#first[name]!));
      tensors.set(`second.${name}`, read(this.#second[name]!));
      if (this.#accumulated !== undefined) tensors.set(`accumulated.${name}`, read(this.#accumulated[name]!));
    }
    for (const [index, {layers}] of this.#microBatches.entries()) {
      for (const [number, layer] of layers.entries()) {
        for (const [name, tensor] of Object.entries(layer)) tensors.set(memoryName(index, number, name), read(tensor));
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
    const {compressionLoss, microBatch, updates, learningRate: schedule, steps} = this.#training;
    const unrolled = compressionLoss === 'backpropagation' ? 2 : 1;
    const segments: RowSegment[][] = [];
    for (let i = 0; i < unrolled; i++) segments.push(await this.#rows.next());
    const all = segments.flat();
    const tokens = all.reduce((sum, {targets}) => sum + targets.length, 0);
    const every = updates.findLast(({fromStep}) => fromStep <= this.#step)!.every;
    const updating = this.#pending + 1 >= every;
    const rate = learningRate(this.#step, {...schedule, totalSteps: steps});

    for (const [index, {counts}] of this.#microBatches.entries()) {
      resetCounts(counts, segments[0]!.slice(index * microBatch, (index + 1) * microBatch));
    }
    const evicting = this.#microBatches
      .flatMap(({counts}) => counts)
      .filter(
        (count, row) => updateCounts(count, this.config).evicted > 0 && isFull(segments[0]![row]!, this.config),
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
    disposeTensors([this.#weights, this.#first, this.#second, this.#accumulated ?? {}]);
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
        weights: this.#weights,
        segments: rows.map(segment => {
          counts = counts.slice();
          resetCounts(counts, segment);
          const tensors = segmentTensors(
            {...padded(segment, this.config), counts},
            {config: this.config, targetWeight, documentWeight},
          );
          counts = counts.map(count => updateCounts(count, this.config).counts);
          return tensors;
        }),
        layers: part.layers,
        ...(this.#accumulated && {accumulated: this.#accumulated}),
        // Uses of a call are numbered from the second number on.
        seed: tf.tensor1d([this.#training.seed + this.#step, index << 16], 'int32'),
        ...(update && {
          update: {
            first: this.#first,
            second: this.#second,
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
      this.#checkFinite(values, rows);
    } catch (error) {
      disposeTensors(outputs);
      throw error;
    }
    disposeTensors(part.layers);
    part.layers = outputs.layers;
    part.counts = counts;
    disposeTensors(this.#accumulated ?? {});
    this.#accumulated = outputs.accumulated;
    if (outputs.updated !== undefined) {
      disposeTensors([this.#weights, this.#first, this.#second]);
      const {weights, first, second, squaredNorms} = outputs.updated;
      squaredNorms.dispose();
      [this.#weights, this.#first, this.#second] = [weights, first, second];
    }
    return {
      nats: this.#sumOfPresent(values.nats, rows),
      auxiliaryLoss: values.auxiliaryLoss,
      norms: this.#norms(values.squares),
    };
  }

  #compute(inputs: TrainingStepInputs): CompiledFunction<TrainingStepInputs, TrainingStepOutputs> {
    const key = `${inputs.accumulated !== undefined} ${inputs.update !== undefined}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const {compressionLoss, dropout, clip} = this.#training;
      const options: TrainingStepOptions = {
        config: this.config,
        trainable: this.#trainable,
        compressionLoss,
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

  #checkFinite(
    {nats, auxiliaryLoss, squares}: {nats: Float32Array; auxiliaryLoss: number; squares: Float32Array | undefined},
    rows: readonly RowSegment[][],
  ): void {
    const fail = (what: string, value: number) =>
      new NumericalError(
        `Cannot go on training at step ${this.#step + 1} as ${what} must be finite: current value is ${value}; go on from the last save with a lower learning rate or clip`,
      );
    const width = rows.length * this.config.segmentLength;
    const wrong = nats.findIndex(value => !Number.isFinite(value));
    if (wrong !== -1) {
      const column = wrong % width;
      const {document, position} = rows[Math.floor(column / this.config.segmentLength)]![Math.floor(wrong / width)]!;
      const token = position + (column % this.config.segmentLength);
      throw fail(`the loss of "${document}" at token ${token}`, nats[wrong]!);
    }
    if (!Number.isFinite(auxiliaryLoss)) throw fail('the compression loss', auxiliaryLoss);
    const weight = squares?.findIndex(value => !Number.isFinite(value)) ?? -1;
    if (weight !== -1) throw fail(`the gradient of "${this.#names[weight]}"`, squares![weight]!);
  }

  #sumOfPresent(nats: Float32Array, rows: readonly RowSegment[][]): number {
    const n = this.config.segmentLength;
    let sum = 0;
    for (const [part, segment] of rows.entries()) {
      for (const [row, {targets}] of segment.entries()) {
        const start = (row * rows.length + part) * n;
        for (let i = start; i < start + targets.length; i++) sum += nats[i]!;
      }
    }
    return sum;
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

  /** Gives each row of a window the compressed row, with a little noise: what undoes an untrained compressor. */
  #newDecoder(name: string, shape: readonly number[]): tf.Tensor {
    const [rate, width] = shape as [number, number];
    const data = new Float32Array(rate * width * width);
    for (let row = 0; row < rate; row++) {
      for (let i = 0; i < width; i++) data[(row * width + i) * width + i] = 1;
    }
    new RandomNormals(`${this.#training.seed} ${name}`).addTo(data, {standardDeviation: 0.1 / Math.sqrt(width)});
    return tf.tensor(data, shape.slice());
  }
}

function memoryName(microBatch: number, layer: number, name: string): string {
  return `memory.${microBatch}.${layer}.${name}`;
}

function read(tensor: tf.Tensor): TensorData {
  return {shape: tensor.shape, data: tensor.dataSync() as Float32Array};
}

/** Rows whose document begins remember nothing. */
function resetCounts(counts: MemoryCounts[], segments: readonly RowSegment[]): void {
  for (let row = 0; row < counts.length; row++) {
    if (segments[row]!.first) counts[row] = {memory: 0, compressed: 0};
  }
}

function isFull({tokens}: RowSegment, {segmentLength}: ModelConfig): boolean {
  return tokens.length === segmentLength;
}

function padded(segments: readonly RowSegment[], config: ModelConfig): Omit<SegmentRows, 'counts'> {
  const n = config.segmentLength;
  const tokens = new Int32Array(segments.length * n);
  const targets = new Int32Array(segments.length * n);
  const present = new Float32Array(segments.length * n);
  for (const [row, segment] of segments.entries()) {
    tokens.set(segment.tokens, row * n);
    targets.set(segment.targets, row * n);
    present.fill(1, row * n, row * n + segment.targets.length);
  }
  return {tokens, targets, present, full: segments.map(segment => isFull(segment, config))};
}
