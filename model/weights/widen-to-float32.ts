import {float16ToFloat32} from '../../float16/float16-to-float32.ts';
import {bfloat16ToFloat32} from './bfloat16-to-float32.ts';
import type {StoredTensor} from './tensor-type.ts';

/** The float32 values of an F32, F16 or BF16 tensor, or `undefined` for the other types. F32 is not copied. */
export function widenToFloat32(tensor: StoredTensor): Float32Array | undefined {
  switch (tensor.type) {
    case 'F32':
      return tensor.data;
    case 'F16':
      return float16ToFloat32(tensor.data);
    case 'BF16':
      return bfloat16ToFloat32(tensor.data);
    default:
      return undefined;
  }
}
