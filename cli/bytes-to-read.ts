import {open, stat} from 'node:fs/promises';
import {filePartition} from '../connectors/file-partition.ts';
import {sourceFailure} from '../connectors/source-failure.ts';
import type {Progress} from '../pipeline/progress.ts';

/**
 * Uncompressed bytes of some inputs that are still to be read, to show how far reading is; `undefined` if one does not tell.
 *
 * Of a gzip file they are what its last bytes say, which is too little if it has several members or 4 GiB.
 *
 * @throws {SourceError} If an input cannot be read.
 */
export async function bytesToRead(
  inputs: readonly string[],
  progress: Progress | undefined,
): Promise<number | undefined> {
  let total = 0;
  for (const input of inputs) {
    const bytes = input === '-' ? undefined : await contentBytes(input);
    if (bytes === undefined) return undefined;
    const covered = progress?.partitions.get(await filePartition(input))?.nextOffset ?? 0n;
    total += Math.max(0, bytes - Number(covered));
  }
  return total;
}

const gzipMagic = 0x1f8b;
const trailerBytes = 4;

async function contentBytes(path: string): Promise<number | undefined> {
  try {
    return await measured(path);
  } catch (error) {
    throw sourceFailure(error, {name: path});
  }
}

async function measured(path: string): Promise<number | undefined> {
  const status = await stat(path);
  // Opening a pipe would take what its writer has for whoever opens it first.
  if (!status.isFile()) return undefined;
  await using file = await open(path);
  if (status.size < trailerBytes) return status.size;
  const bytes = Buffer.alloc(trailerBytes);
  await file.read(bytes, 0, trailerBytes, 0);
  if (bytes.readUInt16BE() !== gzipMagic) return status.size;
  await file.read(bytes, 0, trailerBytes, status.size - trailerBytes);
  return bytes.readUInt32LE();
}
