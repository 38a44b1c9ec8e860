import {isMainThread} from 'node:worker_threads';

/**
 * Sets the variables that TensorFlow reads from the process when it loads; those that the user has set stay as they are.
 *
 * Only the main thread's `process.env` reaches the process: call this there before starting workers that open engines.
 *
 * @throws {Error} If called in a worker.
 */
export function prepareEngineEnvironment(): void {
  if (!isMainThread) {
    throw new Error(
      'Cannot prepare the environment of an engine as only the main thread can: current thread is a worker',
    );
  }
  // 3 = fatal errors only: what TensorFlow says at start-up is meant for its own developers.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  // Without it, TensorFlow takes all memory of the GPU at once.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
}
