import {setMaxListeners} from 'node:events';
import {ReadableStream} from 'node:stream/web';

/**
 * A stream of what a generator yields, which runs only while it is pulled.
 *
 * When the stream is cancelled, or `signal` aborted, the generator's own signal is aborted and the generator finished
 * before the stream settles, so that what it holds is released by then.
 */
export function pullStream<T>(
  create: (signal: AbortSignal) => AsyncGenerator<T, void>,
  {signal}: {signal?: AbortSignal | undefined} = {},
): ReadableStream<T> {
  const scope = new AbortController();
  // What a generator holds open listens, one listener each; how much that may be is the generator's to bound.
  setMaxListeners(0, scope.signal);
  const elements = create(scope.signal);
  let finish = async (_reason: unknown): Promise<void> => {};
  return new ReadableStream<T>(
    {
      start(controller) {
        finish = async reason => {
          signal?.removeEventListener('abort', onAbort);
          scope.abort(reason);
          await elements.return();
        };
        const onAbort = (): void => {
          finish(signal?.reason)
            .catch(() => {})
            .then(() => controller.error(signal?.reason));
        };
        if (signal?.aborted) onAbort();
        else signal?.addEventListener('abort', onAbort);
      },
      async pull(controller) {
        try {
          const {value, done} = await elements.next();
          if (scope.signal.aborted) return;
          if (!done) return controller.enqueue(value);
          await finish(undefined);
          controller.close();
        } catch (error) {
          if (scope.signal.aborted) return;
          await finish(error);
          controller.error(error);
        }
      },
      cancel: reason => finish(reason),
    },
    {highWaterMark: 0},
  );
}
