import type {Admin} from 'kafkajs';
import {PipelineError} from '../../errors.ts';
import type {KafkaCallOptions, KafkaClient} from './kafka-client.ts';
import {patiently} from './patiently.ts';

/** Looks up topics and creates them with the admin client of kafkajs. */
export class KafkajsTopics implements Pick<KafkaClient, 'partitionCount' | 'createTopic'> {
  readonly #admin: Pick<Admin, 'fetchTopicMetadata' | 'createTopics'>;

  constructor(admin: Pick<Admin, 'fetchTopicMetadata' | 'createTopics'>) {
    this.#admin = admin;
  }

  async partitionCount(topic: string, {signal}: KafkaCallOptions = {}): Promise<number | undefined> {
    return patiently(`look up topic "${topic}"`, () => this.#count(topic), {signal});
  }

  async createTopic(
    topic: string,
    {partitions, config = {}, signal}: Parameters<KafkaClient['createTopic']>[1],
  ): Promise<void> {
    const action = `create topic "${topic}"`;
    const configEntries = Object.entries(config).map(([name, value]) => ({name, value}));
    const topics = [{topic, numPartitions: partitions, configEntries}];
    await patiently(action, () => this.#admin.createTopics({topics, waitForLeaders: false}), {signal});
    // What brokers know of a new topic spreads with a delay.
    const look = async () => {
      if ((await this.#count(topic)) !== undefined) return;
      throw new PipelineError(
        `Cannot ${action} as brokers must know it once it is made: none of those that were asked does`,
        {retriable: true},
      );
    };
    await patiently(action, look, {signal});
  }

  async #count(topic: string): Promise<number | undefined> {
    try {
      const {topics} = await this.#admin.fetchTopicMetadata({topics: [topic]});
      return topics[0]?.partitions.length;
    } catch (error) {
      if ((error as {type?: string}).type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
      throw error;
    }
  }
}
