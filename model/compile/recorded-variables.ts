import * as tf from '@tensorflow/tfjs';
import type {GraphRecorder} from './graph-recorder.ts';

/** What is used of tfjs's engine beyond its types. */
type Engine = {
  readonly state: {readonly registeredVariables: Readonly<Record<string, tf.Variable>>};
  makeVariable(initialValue: tf.Tensor, trainable?: boolean, name?: string, dtype?: tf.DataType): tf.Variable;
};

/**
 * Variables that a recorded function may read and assign: those there are, and those it makes, such as an optimizer's moments. Each is
 * an input of the graph; those assigned are outputs as well.
 */
export class RecordedVariables {
  readonly #recorder: GraphRecorder;
  readonly #engine = tf.engine() as unknown as Engine;
  /** Each variable's value before the recording, in the order in which they were declared. */
  readonly #values = new Map<tf.Variable, tf.Tensor>();

  constructor(recorder: GraphRecorder) {
    this.#recorder = recorder;
    for (const variable of Object.values(this.#engine.state.registeredVariables)) this.#add(variable);
  }

  /** In the order of their inputs. */
  get all(): readonly tf.Variable[] {
    return [...this.#values.keys()];
  }

  /** Calls a function that may make variables. */
  watch<T>(fn: () => T): T {
    const {makeVariable} = this.#engine;
    this.#engine.makeVariable = (initialValue, ...rest) => {
      // A value that the function computed would be taken for the variable's at every call.
      const copy = this.#recorder.copy(initialValue);
      const variable = makeVariable.call(this.#engine, copy, ...rest);
      copy.dispose();
      this.#add(variable);
      return variable;
    };
    try {
      return fn();
    } finally {
      this.#engine.makeVariable = makeVariable;
    }
  }

  /** Those that were assigned since they were declared. */
  assigned(): tf.Variable[] {
    return this.all.filter(variable => variable.dataId !== this.#values.get(variable)!.dataId);
  }

  /** Gives every variable the value back that it had. */
  restore(): void {
    for (const variable of this.assigned()) variable.assign(this.#values.get(variable)!);
    for (const value of this.#values.values()) value.dispose();
  }

  #add(variable: tf.Variable): void {
    // Shares the variable's data and keeps it when the variable is assigned.
    const value = tf.keep(variable.clone());
    this.#recorder.addInput(value);
    this.#values.set(variable, value);
  }
}
