export type UntilAbortedOptions<T> = {
  readonly signal: AbortSignal | undefined;
  /** Takes what the promise resolves to when nobody waits for it any more. */
  readonly late?: (value: T) => unknown;
};

/** Settles as a promise does, or rejects with a signal's reason as soon as it is aborted. */
export async function untilAborted<T>(promise: Promise<T>, {signal, late}: UntilAbortedOptions<T>): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([aborted, promise]);
  } catch (error) {
    promise.then(late).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
