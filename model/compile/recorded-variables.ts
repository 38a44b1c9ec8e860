import {tf} from '../tf.ts';
import type {GraphRecorder} from './graph-recorder.ts';

/** What is used of tfjs's engine beyond its types. */
type Engine = {
  readonly state: {readonly registeredVariables: Readonly<Record<string, tf.Variable>>};
  makeVariable(initialValue: tf.Tensor, trainable?: boolean, name?: string, dtype?: tf.DataType): tf.Variable;
};

/** A variable's value before the recording, and what stands for it during the recording. */
type Recorded = {readonly value: tf.Tensor; readonly placeholder: object};

/**
 * Variables that a recorded function may read and assign: those there are, and those it makes, such as an optimizer's moments. Each is
 * an input of the graph; those assigned are outputs as well.
 */
export class RecordedVariables {
  readonly #recorder: GraphRecorder;
  readonly #engine = tf.engine() as unknown as Engine;
  readonly #variables = new Map<tf.Variable, Recorded>();

  constructor(recorder: GraphRecorder) {
    this.#recorder = recorder;
    for (const variable of Object.values(this.#engine.state.registeredVariables)) this.#add(variable);
  }

  /**
   * Calls a function that may make variables.
   *
   * @throws {TypeError} If one would begin with values that differ from call to call: it is made only once.
   */
  watch<T>(fn: () => T): T {
    const {makeVariable} = this.#engine;
    this.#engine.makeVariable = (...given) => {
      this.#recorder.checkInitialValue(given[0]);
      const variable = makeVariable.apply(this.#engine, given);
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
    return [...this.#variables.keys()].filter(
      variable => !variable.isDisposed && variable.dataId !== this.#variables.get(variable)!.placeholder,
    );
  }

  /** Gives every variable the value back that it had. */
  restore(): void {
    for (const [variable, {value}] of this.#variables) {
      if (!variable.isDisposed) variable.assign(value);
      value.dispose();
    }
  }

  #add(variable: tf.Variable): void {
    const value = tf.keep(variable.clone());
    // The variable's data may be that of other tensors, which are not to be taken for it.
    const placeholder = this.#recorder.copy(variable);
    variable.assign(placeholder);
    placeholder.dispose();
    this.#recorder.addInput(variable, variable);
    this.#variables.set(variable, {value, placeholder: variable.dataId});
  }
}
