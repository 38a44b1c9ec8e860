import type * as tf from '@tensorflow/tfjs';

/** An attribute of an operation as tfjs-node gives it; the type is a number of TensorFlow's. */
export type OperationAttribute = {readonly name: string; readonly type: number; readonly value: unknown};

/** An operation, and the values it takes: "node:output" of nodes, "node:0" of inputs and constants. */
export type OperationNode = {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly attributes: readonly OperationAttribute[];
};

/** A small tensor that is the same at each call. */
export type ConstantNode = {
  readonly name: string;
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly data: tf.TypedArray;
};

/** A tensor that is given at each call. */
export type InputNode = {
  readonly name: string;
  /** Among all tensors that the recorder was told of or met, declared inputs first. */
  readonly position: number;
  readonly dtype: number;
  readonly shape: readonly number[];
};

/** What a function does to its inputs, as operations of TensorFlow. */
export type RecordedGraph = {
  /** Those that the outputs depend on. */
  readonly inputs: readonly InputNode[];
  readonly constants: readonly ConstantNode[];
  readonly operations: readonly OperationNode[];
  /** Values that the function returned. */
  readonly outputs: readonly string[];
};
