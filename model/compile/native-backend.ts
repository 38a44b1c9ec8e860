import {tf} from '../tf.ts';
import type {OperationAttribute} from './recorded-graph.ts';

/** A tensor as the addon describes it; its dtype is TensorFlow's number. */
export type TensorMetadata = {readonly id: number; readonly shape: number[]; readonly dtype: number};

/** What is used of tfjs-node's addon. Ids of tensors may be given out again once their tensors are deleted. */
export type NativeBinding = {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_Version: string;
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
  tensorDataSync(id: number): tf.TypedArray;
  deleteTensor(id: number): void;
  loadSavedModel(folder: string, tags: string): number;
  runSavedModel(session: number, inputs: readonly number[], inputNames: string, outputNames: string): TensorMetadata[];
  deleteSavedModel(session: number): void;
};

/** What is used of tfjs-node's backend. */
export type NativeBackend = {
  binding: NativeBinding;
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: {get(dataId: object): {readonly id: number; readonly dtype: number; readonly shape: number[]}};
  incRef(dataId: object): void;
  getInputTensorIds(tensors: readonly {readonly dataId?: object}[]): number[];
  executeMultipleOutputs(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
};

/** The current backend if it is tfjs-node's and computes on processors: graphs take and give tensors in their memory. */
export function nativeBackend(): NativeBackend | undefined {
  const backend = tf.backend() as unknown as Partial<NativeBackend>;
  return backend.binding === undefined || backend.isUsingGpuDevice ? undefined : (backend as NativeBackend);
}
