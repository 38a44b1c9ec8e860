import {isUtf8} from 'node:buffer';
import {ModelError} from '../../errors.ts';
import {shownValue} from '../shown-value.ts';
import {findDuplicateKey} from './find-duplicate-key.ts';
import {type TensorType, tensorTypes} from './tensor-type.ts';

/** What the header of a safetensors file says about one tensor. */
export type TensorEntry = {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Elements. */
  readonly length: number;
  /** Bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
};

export type SafetensorsHeader = {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order in which they lie in the file. */
  readonly entries: readonly TensorEntry[];
};

export type ParseSafetensorsHeaderOptions = {
  /** For error messages. */
  readonly path: string;
  /** Bytes of the file behind the header. */
  readonly dataLength: number;
};

/**
 * Reads and checks the JSON header of a safetensors file.
 *
 * @throws {ModelError} If anything is not as the format demands; names file, tensor and defect.
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  {path, dataLength}: ParseSafetensorsHeaderOptions,
): SafetensorsHeader {
  const object = parseObject(header, path);
  const metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(object)) {
    if (name === '__metadata__') {
      if (!isObject(value)) throw defect(path, 'its "__metadata__" must be an object of strings', value);
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== 'string') throw defect(path, `its metadata "${key}" must be a string`, text);
        metadata.set(key, text);
      }
    } else {
      entries.push(parseEntry(value, {path, name}));
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const {name, begin, end: next} of entries) {
    if (begin < end)
      throw defect(path, `tensor "${name}" must not overlap the tensor before it, which ends at ${end}`, begin);
    if (begin > end)
      throw defect(path, `tensor "${name}" must start where the tensor before it ends, at ${end}`, begin);
    end = next;
  }
  if (dataLength < end) {
    throw defect(path, `it must hold ${end} bytes of tensors but is truncated`, `${dataLength} bytes`);
  }
  if (dataLength > end) throw defect(path, `nothing may follow its ${end} bytes of tensors`, `${dataLength} bytes`);
  return {metadata, entries};
}

function parseObject(header: Uint8Array, path: string): Record<string, unknown> {
  if (!isUtf8(header)) throw defect(path, 'its header must be UTF-8', 'bytes that are not');
  const text = Buffer.from(header.buffer, header.byteOffset, header.length).toString();
  if (!text.startsWith('{')) throw defect(path, 'its header must start with "{"', text.slice(0, 1));
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch (error) {
    throw defect(path, 'its header must be JSON', (error as Error).message, error);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw defect(path, 'a name must occur once in its header', duplicate);
  return object as Record<string, unknown>;
}

function parseEntry(value: unknown, {path, name}: {path: string; name: string}): TensorEntry {
  if (name === '' || /\p{Surrogate}/u.test(name)) throw defect(path, 'a tensor must have a well-formed name', name);
  const fail = (rule: string, current: unknown): ModelError => defect(path, `tensor "${name}" ${rule}`, current);
  if (!isObject(value)) throw fail('must be described by an object', value);
  const {dtype, shape, data_offsets: offsets, ...rest} = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw fail('must have no other fields than dtype, shape and data_offsets', unknown);
  if (typeof dtype !== 'string' || !Object.hasOwn(tensorTypes, dtype)) {
    throw fail(`must have one of the types ${Object.keys(tensorTypes).join(', ')}`, dtype);
  }
  const type = dtype as TensorType;
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail('must have a shape of whole numbers', shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail('must have two data_offsets that are whole numbers', offsets);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw fail('must end behind its start', offsets);
  const length: number = shape.reduce((product: number, size: number) => product * size, 1);
  if (length * tensorTypes[type] !== end - begin) {
    throw fail(`of type ${type} and shape [${shape}] must take ${length * tensorTypes[type]} bytes`, end - begin);
  }
  return {name, type, shape, length, begin, end};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function defect(path: string, rule: string, current: unknown, cause?: unknown): ModelError {
  const shown = typeof current === 'string' ? current.slice(0, 200) : shownValue(current);
  return new ModelError(
    `Cannot read "${path}" as ${rule}: current value is ${shown}; fetch or write the file again`,
    cause === undefined ? {} : {cause},
  );
}
