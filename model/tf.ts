import type * as types from '@tensorflow/tfjs';
import {tfjs} from './engine/tfjs.ts';

/** The one tfjs of this thread. An import of the package would first look for the names of its exports, which takes longer than loading it. */
export const tf = tfjs();

/** Types of tfjs. */
export declare namespace tf {
  type DataType = types.DataType;
  type GradSaveFunc = types.GradSaveFunc;
  type NamedAttrMap = types.NamedAttrMap;
  type Rank = types.Rank;
  type Scalar = types.Scalar;
  type Tensor<R extends Rank = Rank> = types.Tensor<R>;
  type Tensor1D = types.Tensor1D;
  type Tensor2D = types.Tensor2D;
  type Tensor3D = types.Tensor3D;
  type Tensor4D = types.Tensor4D;
  type TensorContainer = types.TensorContainer;
  type TensorInfo = types.TensorInfo;
  type TypedArray = types.TypedArray;
  type Variable = types.Variable;
  namespace Rank {
    type R2 = types.Rank.R2;
    type R3 = types.Rank.R3;
    type R4 = types.Rank.R4;
  }
}
