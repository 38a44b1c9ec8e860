/** Bytes of one element of each safetensors dtype that is read; F16 and BF16 stay bit patterns. */
export const tensorTypes = {F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1} as const;

/** One of the types of safetensors that are read. */
export type TensorType = keyof typeof tensorTypes;

/** A tensor as it lies in a safetensors file. */
export type StoredTensor = {readonly shape: readonly number[]} & (
  | {readonly type: 'F64'; readonly data: Float64Array}
  | {readonly type: 'F32'; readonly data: Float32Array}
  | {readonly type: 'F16' | 'BF16'; readonly data: Uint16Array}
  | {readonly type: 'I64'; readonly data: BigInt64Array}
  | {readonly type: 'I32'; readonly data: Int32Array}
  | {readonly type: 'U8'; readonly data: Uint8Array}
);
