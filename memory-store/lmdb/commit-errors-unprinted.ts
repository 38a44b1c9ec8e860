let commits = 0;
let print = console.error;

/** LMDB's errors have numbers; those of Node.js have names. */
function isFromLmdb(error: unknown): boolean {
  return error instanceof Error && typeof (error as {code?: unknown}).code === 'number';
}

/**
 * Runs a commit whose error is not printed: lmdb writes it to the console with its stack, besides rejecting the promise that tells
 * whoever asked for the commit.
 */
export async function commitErrorsUnprinted(commit: () => Promise<unknown>): Promise<void> {
  if (commits++ === 0) {
    print = console.error;
    console.error = (...values: unknown[]) => {
      if (!values.every(isFromLmdb)) print(...values);
    };
  }
  try {
    await commit();
  } finally {
    if (--commits === 0) console.error = print;
  }
}
