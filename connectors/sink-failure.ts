import {SinkError} from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
  EISDIR: 'it is a directory',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EPIPE: 'its reader has gone',
};

/** Says which output failed, in the words of a reader of files. */
export function sinkFailure(error: unknown, {name}: {name: string}): SinkError {
  if (error instanceof SinkError) return error;
  const {code, message} = error as NodeJS.ErrnoException;
  return new SinkError(`Cannot write "${name}" as ${REASONS[code ?? ''] ?? message}`, {cause: error});
}
