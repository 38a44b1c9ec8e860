import {setTimeout as delay} from 'node:timers/promises';
import {kafkaFailure} from './kafka-failure.ts';
import {untilAborted} from './until-aborted.ts';

const patienceMs = 30_000;
const pauseMs = 200;

export type PatientlyOptions = {
  /** Called with each failure before it is asked again. */
  readonly recover?: (error: unknown) => Promise<unknown>;
  /** Ends the wait at once; what was asked goes on until it settles, or what it asks is closed. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Asks brokers, and asks again for half a minute while they are away, leaders are being elected or coordinators have to load.
 *
 * @param action What is being done, as in "Cannot <action> as".
 * @throws {PipelineError} If time is up, or asking again cannot help.
 */
export async function patiently<T>(
  action: string,
  ask: () => Promise<T>,
  {recover, signal}: PatientlyOptions = {},
): Promise<T> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    signal?.throwIfAborted();
    try {
      return await untilAborted(ask(), {signal});
    } catch (error) {
      signal?.throwIfAborted();
      const failure = kafkaFailure(error, action);
      if (!failure.retriable || performance.now() > deadline) throw failure;
      await untilAborted(delay(pauseMs), {signal});
      await recover?.(error);
    }
  }
}
