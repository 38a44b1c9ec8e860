import {type FileHandle, open} from 'node:fs/promises';
import {ModelError} from '../../errors.ts';
import {readProblem} from '../read-problem.ts';
import type {Safetensors} from './parse-safetensors.ts';
import {parseSafetensorsHeader} from './parse-safetensors-header.ts';
import {readSafetensorsHeaderLength} from './read-safetensors-header-length.ts';
import {tensorFromBuffer} from './tensor-from-buffer.ts';
import type {StoredTensor} from './tensor-type.ts';

// A read of 2 GiB or more is not possible in one call.
const largestRead = 2 ** 30;

/**
 * Reads a safetensors file. Each tensor is read into a buffer of its own, so no byte is in memory twice.
 *
 * @throws {ModelError} If the file cannot be opened, or is not as the format demands; names file, tensor and defect.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new ModelError(`Cannot open "${path}" as ${readProblem(error)}; check the path`, {cause: error});
  }
  try {
    const {size: fileLength} = await file.stat();
    const prefix = await readBytes(file, {path, position: 0, length: Math.min(8, fileLength)});
    const headerLength = readSafetensorsHeaderLength(prefix, {path, fileLength});
    const dataStart = 8 + headerLength;
    const {metadata, entries} = parseSafetensorsHeader(
      await readBytes(file, {path, position: 8, length: headerLength}),
      {path, dataLength: fileLength - dataStart},
    );
    const tensors = new Map<string, StoredTensor>();
    for (const {name, type, shape, length, begin, end} of entries) {
      const bytes = await readBytes(file, {path, position: dataStart + begin, length: end - begin});
      tensors.set(name, tensorFromBuffer(bytes.buffer, {type, shape, offset: 0, length}));
    }
    return {tensors, metadata};
  } finally {
    await file.close();
  }
}

async function readBytes(
  file: FileHandle,
  {path, position, length}: {path: string; position: number; length: number},
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    let bytesRead: number;
    try {
      ({bytesRead} = await file.read(bytes, done, Math.min(length - done, largestRead), position + done));
    } catch (error) {
      throw new ModelError(`Cannot read "${path}" as ${(error as Error).message}`, {cause: error});
    }
    if (bytesRead === 0) {
      throw new ModelError(`Cannot read "${path}" as it ended at byte ${position + done}; is it still being written?`);
    }
    done += bytesRead;
  }
  return bytes;
}
