import {SinkError, SourceError} from '../../errors.ts';
import type {KafkaCallOptions, KafkaClient} from './kafka-client.ts';
import type {OutputTopic} from './partition-sink.ts';

export type PrepareTopicsOptions = KafkaCallOptions & {
  readonly application: string;
  /** That is read. */
  readonly topic: string;
  readonly output: string;
  readonly deadLetters: string | undefined;
};

export type PreparedTopics = {
  /** Name of the topic of memories. */
  readonly changelog: string;
  readonly output: OutputTopic;
  readonly deadLetters: OutputTopic | undefined;
};

/**
 * Looks up the topics that a worker reads and writes, and creates that of memories if it is the first one of its application.
 *
 * @throws {SourceError} If there is no such input, or its number of partitions has changed.
 * @throws {SinkError} If there is no such topic to write to.
 */
export async function prepareTopics(
  client: KafkaClient,
  {application, topic, output, deadLetters, signal}: PrepareTopicsOptions,
): Promise<PreparedTopics> {
  const partitions = await client.partitionCount(topic, {signal});
  if (partitions === undefined) {
    throw new SourceError(`Cannot read topic "${topic}" as it must exist: there is none of this name`);
  }
  const existing = async (name: string): Promise<OutputTopic> => {
    const count = await client.partitionCount(name, {signal});
    if (count !== undefined) return {topic: name, partitions: count};
    throw new SinkError(`Cannot write to topic "${name}" as it must exist: there is none of this name; create it`);
  };
  const changelog = `${application}.${topic}.changelog`;
  await client.createTopic(changelog, {partitions, config: changelogConfig, signal});
  const stored = (await existing(changelog)).partitions;
  if (stored !== partitions) {
    throw new SourceError(
      `Cannot read topic "${topic}" as it must keep its number of partitions, by which documents and their memories are spread: it was ${stored} and is ${partitions}; use another application name and read from the start`,
    );
  }
  return {
    changelog,
    output: await existing(output),
    deadLetters: deadLetters === undefined ? undefined : await existing(deadLetters),
  };
}

/**
 * Only the latest of each memory is kept. A document that is forgotten leaves its tombstones for a week: a local store that has not
 * been used for longer would not learn of it.
 */
const changelogConfig = {
  'cleanup.policy': 'compact',
  'delete.retention.ms': String(7 * 24 * 60 * 60 * 1000),
  'min.cleanable.dirty.ratio': '0.3',
  'segment.bytes': String(128 * 1024 * 1024),
};
