import {setTimeout as delay} from 'node:timers/promises';
import {kafkaFailure} from './kafka-failure.ts';

const patienceMs = 30_000;
const pauseMs = 200;

/**
 * Asks brokers, and asks again for half a minute while they are away, leaders are being elected or coordinators have to load.
 *
 * @param action What is being done, as in "Cannot <action> as".
 * @param recover Called with each failure before it is asked again.
 * @throws {PipelineError} If time is up, or asking again cannot help.
 */
export async function patiently<T>(
  action: string,
  ask: () => Promise<T>,
  recover?: (error: unknown) => Promise<unknown>,
): Promise<T> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    try {
      return await ask();
    } catch (error) {
      const failure = kafkaFailure(error, action);
      if (!failure.retriable || performance.now() > deadline) throw failure;
      await delay(pauseMs);
      await recover?.(error);
    }
  }
}
