const problems: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
};

/** Why a file cannot be read, in the words of a reader of files. */
export function readProblem(error: unknown): string {
  const {code, message} = error as NodeJS.ErrnoException;
  return problems[code ?? ''] ?? message;
}
