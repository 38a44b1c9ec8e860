import {SourceError} from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EMFILE: 'too many files are open: lower the concurrency',
  Z_BUF_ERROR: 'its gzip content ends too early',
  Z_DATA_ERROR: 'its gzip content is damaged',
};

/** Says which input failed and where, in the words of a reader of files. */
export function sourceFailure(error: unknown, {name, offset}: {name: string; offset?: number}): SourceError {
  if (error instanceof SourceError) return error;
  const {code, message} = error as NodeJS.ErrnoException;
  const reason =
    code === 'EISDIR'
      ? `it is a directory: give its files instead, for example "${name.replace(/\/+$/, '')}/**/*.txt"`
      : (REASONS[code ?? ''] ?? message);
  const where = offset === undefined ? '' : ` at offset ${offset}`;
  return new SourceError(`Cannot read "${name}"${where} as ${reason}`, {cause: error});
}
