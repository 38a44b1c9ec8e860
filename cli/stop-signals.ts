import {exitCodes} from './exit-codes.ts';

/** Why a run was stopped from outside. */
export class StopRequest extends Error {
  override name = 'StopRequest';
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Stopped by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
  }
}

/** Aborts on the first SIGINT or SIGTERM; a second one ends the process at once. */
export function stopSignals(): {readonly signal: AbortSignal} & Disposable {
  const controller = new AbortController();
  const stop = (name: 'SIGINT' | 'SIGTERM') => {
    const request = new StopRequest(name);
    if (controller.signal.aborted) process.exit(request.exitCode);
    controller.abort(request);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
