import {isMainThread} from 'node:worker_threads';

export type EngineEnvironmentOptions = {
  /** Threads that one operation may use. @default those of TF_NUM_INTRAOP_THREADS, else all of the machine */
  readonly threads?: number;
};

/**
 * Sets the variables that TensorFlow reads from the process when it loads; those that the user has set stay as they are.
 *
 * Only the main thread's `process.env` reaches the process: call this there before starting workers that open engines.
 *
 * @throws {Error} If called in a worker.
 * @throws {RangeError} If `threads` is not a positive integer.
 */
export function prepareEngineEnvironment({threads}: EngineEnvironmentOptions = {}): void {
  if (!isMainThread) {
    throw new Error(
      'Cannot prepare the environment of an engine as only the main thread can: current thread is a worker',
    );
  }
  if (threads !== undefined) {
    if (!Number.isSafeInteger(threads) || threads < 1) {
      throw new RangeError(
        `Cannot prepare the environment of an engine as threads must be a positive integer: current value is ${threads}`,
      );
    }
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  }
  // An operation uses all threads by itself: two at once only take them from each other.
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  // 3 = fatal errors only: what TensorFlow says at start-up is meant for its own developers.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  // Without it, TensorFlow takes all memory of the GPU at once.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
}
