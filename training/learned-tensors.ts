import {disposeTensors} from '../model/dispose-tensors.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import {tf} from '../model/tf.ts';
import {newDecoder} from './new-decoder.ts';
import {readTensor} from './read-tensor.ts';
import {takeTensor} from './take-tensor.ts';
import type {NamedTensors, TrainingStepOutputs} from './training-step.ts';

export type LearnedTensorsOptions = {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Weights by name, or all that {@link LearnedTensors.read} gave. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Whether there are moments among the tensors; without them the run begins. */
  readonly goesOn: boolean;
  /** Whether there are sums of gradients among them. */
  readonly accumulated: boolean;
  readonly seed: number;
};

/** Weights with both of their moments, and sums of gradients between two updates. */
export class LearnedTensors implements Disposable {
  readonly #names: readonly string[];
  #weights: NamedTensors;
  #first: NamedTensors;
  #second: NamedTensors;
  #accumulated: NamedTensors | undefined;

  /** @throws {ModelError} If a tensor is missing or has another shape. */
  constructor({shapes, tensors, goesOn, accumulated, seed}: LearnedTensorsOptions) {
    this.#names = [...shapes.keys()];
    const named = (make: (name: string, shape: readonly number[]) => tf.Tensor): NamedTensors =>
      Object.fromEntries([...shapes].map(([name, shape]) => [name, make(name, shape)]));
    const moment = (order: string) =>
      named((name, shape) => (goesOn ? takeTensor(tensors, `${order}.${name}`, shape) : tf.zeros(shape.slice())));
    this.#weights = named((name, shape) =>
      isDecoder(name) && !goesOn ? newDecoder(name, shape, seed) : takeTensor(tensors, name, shape),
    );
    this.#first = moment('first');
    this.#second = moment('second');
    if (accumulated) this.#accumulated = named((name, shape) => takeTensor(tensors, `accumulated.${name}`, shape));
  }

  get weights(): NamedTensors {
    return this.#weights;
  }

  get moments(): {readonly first: NamedTensors; readonly second: NamedTensors} {
    return {first: this.#first, second: this.#second};
  }

  get accumulated(): NamedTensors | undefined {
    return this.#accumulated;
  }

  /** Takes over what a step gave. */
  replace({accumulated, updated}: Pick<TrainingStepOutputs, 'accumulated' | 'updated'>): void {
    disposeTensors(this.#accumulated ?? {});
    this.#accumulated = accumulated;
    if (updated === undefined) return;
    disposeTensors([this.#weights, this.#first, this.#second]);
    [this.#weights, this.#first, this.#second] = [updated.weights, updated.first, updated.second];
  }

  /** The weights of the model: all but those of decoders, which only training uses. */
  readModel(): Map<string, TensorData> {
    return new Map(this.#names.filter(name => !isDecoder(name)).map(name => [name, readTensor(this.#weights[name]!)]));
  }

  /** All that is needed to go on from here. */
  read(): Map<string, TensorData> {
    const groups = {
      '': this.#weights,
      'first.': this.#first,
      'second.': this.#second,
      'accumulated.': this.#accumulated,
    };
    return new Map(
      this.#names.flatMap(name =>
        Object.entries(groups).flatMap(([prefix, group]) =>
          group === undefined ? [] : [[`${prefix}${name}`, readTensor(group[name]!)] as const],
        ),
      ),
    );
  }

  [Symbol.dispose](): void {
    disposeTensors([this.#weights, this.#first, this.#second, this.#accumulated ?? {}]);
  }
}

function isDecoder(name: string): boolean {
  return name.endsWith('.decoder.weight');
}
