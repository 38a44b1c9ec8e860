import {ModelError} from '../../errors.ts';

/** Longest header that is accepted, as in the reference implementation. */
const maximumHeaderLength = 100_000_000;

/**
 * Reads the first eight bytes of a safetensors file.
 *
 * @param prefix The first eight bytes, or fewer if the file is shorter.
 * @returns Bytes of the JSON header that follows.
 * @throws {ModelError} If the file is too short for the header, or the header is unreasonably long.
 */
export function readSafetensorsHeaderLength(
  prefix: Uint8Array,
  {path, fileLength}: {readonly path: string; readonly fileLength: number},
): number {
  const fail = (rule: string, current: unknown): ModelError =>
    new ModelError(`Cannot read "${path}" as ${rule}: current value is ${current}; fetch or write the file again`);
  if (prefix.length < 8) throw fail('a safetensors file must have at least 8 bytes', `${fileLength} bytes`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > maximumHeaderLength) throw fail(`its header must be at most ${maximumHeaderLength} bytes`, length);
  if (BigInt(fileLength - 8) < length) {
    throw fail(`it must hold a header of ${length} bytes but is truncated`, `${fileLength} bytes`);
  }
  return Number(length);
}
