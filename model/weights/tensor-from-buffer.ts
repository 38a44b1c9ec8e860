import type {StoredTensor, TensorType} from './tensor-type.ts';

/** Where a tensor lies in a buffer, and what it is. */
export type TensorPlace = {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Bytes from the start of the buffer; a multiple of the element size. */
  readonly offset: number;
  /** Elements. */
  readonly length: number;
};

/** Views aligned bytes as a tensor; nothing is copied. */
export function tensorFromBuffer(buffer: ArrayBufferLike, {type, shape, offset, length}: TensorPlace): StoredTensor {
  switch (type) {
    case 'F64':
      return {type, shape, data: new Float64Array(buffer, offset, length)};
    case 'F32':
      return {type, shape, data: new Float32Array(buffer, offset, length)};
    case 'I64':
      return {type, shape, data: new BigInt64Array(buffer, offset, length)};
    case 'I32':
      return {type, shape, data: new Int32Array(buffer, offset, length)};
    case 'U8':
      return {type, shape, data: new Uint8Array(buffer, offset, length)};
    default:
      return {type, shape, data: new Uint16Array(buffer, offset, length)};
  }
}
