import type {WorkerConfig} from './worker-fields.ts';

/**
 * The topic of a worker's dead letters.
 *
 * @throws {TypeError} If the configuration has none.
 */
export function deadLetterTopicOf(config: WorkerConfig): string {
  const topic = config['deadLetters.topic'];
  if (topic !== undefined) return topic;
  throw new TypeError('Cannot read dead letters as the configuration must have "deadLetters.topic": it is missing');
}
