import {ModelError} from '../../errors.ts';
import {float32ToFloat16} from '../../float16/float32-to-float16.ts';
import {float32ToBfloat16} from './float32-to-bfloat16.ts';
import {type TensorType, tensorTypes} from './tensor-type.ts';
import {writeFileAtomically} from './write-file-atomically.ts';

/** What is rounded to infinity, from here on. */
const float16Overflow = 65_520;

/** A tensor to write; the array's type decides the type in the file. */
export type WritableTensor = {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
};

export type WriteSafetensorsOptions = {
  /** Strings for the header's `__metadata__`. @default {} */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Type that float32 tensors get in the file. @default 'F32' */
  readonly floatType?: 'F32' | 'F16' | 'BF16';
};

/**
 * Writes a safetensors file, whole or not at all. The bytes depend on content only, not on the order of the map: wide
 * types come first, then names in order, and the header is padded, so that every tensor is aligned in the file.
 *
 * @returns Bytes written.
 * @throws {TypeError} If a tensor's type cannot be written.
 * @throws {RangeError} If a tensor's shape does not fit its data, a number is too large for float16, or a name is not well formed.
 * @throws {ModelError} If the file cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  {metadata = {}, floatType = 'F32'}: WriteSafetensorsOptions = {},
): Promise<number> {
  const entries = [...tensors].map(([name, {shape, data}]) => {
    const type = data instanceof Float32Array ? floatType : storedType(name, data);
    checkTensor(name, {shape, length: data.length});
    if (type === 'F16') checkFloat16(name, data as Float32Array);
    return {name, shape, data, type, byteLength: data.length * tensorTypes[type]};
  });
  entries.sort((a, b) => tensorTypes[b.type] - tensorTypes[a.type] || (a.name < b.name ? -1 : 1));

  // Pairs of strings rather than an object, in which names such as "1" would jump to the front.
  const fields: string[] = [];
  const metadataEntries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of metadataEntries) {
    if (typeof value !== 'string') {
      throw new TypeError(`Cannot write "${path}" as metadata "${key}" must be a string: current value is ${value}`);
    }
  }
  if (metadataEntries.length > 0) {
    const pairs = metadataEntries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    fields.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  let offset = 0;
  for (const {name, shape, type, byteLength} of entries) {
    const description = {dtype: type, shape, data_offsets: [offset, offset + byteLength]};
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(description)}`);
    offset += byteLength;
  }
  const json = Buffer.from(`{${fields.join(',')}}`);
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.set(json, 8);

  function* pieces(): Generator<Uint8Array> {
    yield header;
    for (const {data, type} of entries) yield bytesOf(data, type);
  }
  try {
    return await writeFileAtomically(path, pieces());
  } catch (error) {
    throw new ModelError(`Cannot write "${path}" as ${(error as Error).message}`, {cause: error});
  }
}

function storedType(name: string, data: WritableTensor['data']): TensorType {
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Uint8Array) return 'U8';
  throw new TypeError(`Cannot write tensor "${name}" as its data must be a typed array: current value is ${data}`);
}

function checkTensor(name: string, {shape, length}: {shape: readonly number[]; length: number}): void {
  if (name === '' || name === '__metadata__' || /\p{Surrogate}/u.test(name)) {
    throw new RangeError(`Cannot write a tensor as its name must be well formed: current value is "${name}"`);
  }
  const expected = shape.reduce((product, size) => product * size, 1);
  if (!shape.every(size => Number.isSafeInteger(size) && size >= 0) || expected !== length) {
    throw new RangeError(
      `Cannot write tensor "${name}" as shape [${shape}] must fit its data: current length is ${length}`,
    );
  }
}

function checkFloat16(name: string, data: Float32Array): void {
  const beyond = data.find(value => Math.abs(value) >= float16Overflow);
  if (beyond === undefined) return;
  throw new RangeError(
    `Cannot write tensor "${name}" in float16 as its numbers must be below ${float16Overflow}: current value is ${beyond}; write bfloat16 or float32`,
  );
}

function bytesOf(data: WritableTensor['data'], type: TensorType): Uint8Array {
  const stored =
    type === 'F16'
      ? float32ToFloat16(data as Float32Array)
      : type === 'BF16'
        ? float32ToBfloat16(data as Float32Array)
        : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
