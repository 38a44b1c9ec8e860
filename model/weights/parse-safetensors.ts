import {parseSafetensorsHeader} from './parse-safetensors-header.ts';
import {readSafetensorsHeaderLength} from './read-safetensors-header-length.ts';
import {tensorFromBuffer} from './tensor-from-buffer.ts';
import {type StoredTensor, tensorTypes} from './tensor-type.ts';

/** Content of a safetensors file, tensors in the order of the file. */
export type Safetensors = {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
};

export type ParseSafetensorsOptions = {
  /** For error messages. @default 'safetensors' */
  readonly path?: string;
};

/**
 * Reads a safetensors file that is in memory. Tensors are views of `bytes` where these are aligned, else copies.
 *
 * @throws {ModelError} If anything is not as the format demands; names file, tensor and defect.
 */
export function parseSafetensors(bytes: Uint8Array, {path = 'safetensors'}: ParseSafetensorsOptions = {}): Safetensors {
  const headerLength = readSafetensorsHeaderLength(bytes.subarray(0, 8), {path, fileLength: bytes.length});
  const dataStart = 8 + headerLength;
  const {metadata, entries} = parseSafetensorsHeader(bytes.subarray(8, dataStart), {
    path,
    dataLength: bytes.length - dataStart,
  });
  const tensors = new Map<string, StoredTensor>();
  for (const {name, type, shape, length, begin, end} of entries) {
    const offset = bytes.byteOffset + dataStart + begin;
    const aligned = offset % tensorTypes[type] === 0;
    // A copy by constructor: the slice of a Buffer shares its memory.
    const buffer = aligned ? bytes.buffer : new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end)).buffer;
    tensors.set(name, tensorFromBuffer(buffer, {type, shape, offset: aligned ? offset : 0, length}));
  }
  return {tensors, metadata};
}
