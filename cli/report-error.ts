import {PipelineError} from '../errors.ts';
import {exitCodes} from './exit-codes.ts';
import {isWrongUse} from './is-wrong-use.ts';
import {StopRequest} from './stop-signals.ts';

/** Says on standard error what went wrong, and gives the code to exit with. */
export function reportError(reason: unknown): number {
  const error = firstFailure(reason);
  if (isClosedOutput(error)) return exitCodes.outputClosed;
  if (!(error instanceof Error)) {
    process.stderr.write(`palimpsest: ${error}\n`);
    return exitCodes.failed;
  }
  if (error instanceof StopRequest) {
    process.stderr.write(`palimpsest: ${error.message}\n`);
    return error.exitCode;
  }
  const wrongUse = isWrongUse(error);
  const expected = wrongUse || error instanceof PipelineError;
  process.stderr.write(`palimpsest: ${expected ? error.message : (error.stack ?? error.message)}\n`);
  return wrongUse ? exitCodes.wrongUse : exitCodes.failed;
}

/** Whether whoever read standard output has stopped, as `head` does. */
function isClosedOutput(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

/** What came first, where closing things failed after it, as it may with a full disk. */
function firstFailure(error: unknown): unknown {
  const first = error instanceof Error && error.name === 'SuppressedError' ? (error as SuppressedError) : undefined;
  return first === undefined ? error : firstFailure(first.suppressed);
}
