import test from 'ava';
import kafkajs from 'kafkajs';
import {describeTransaction} from '../../connectors/kafka/describe-transaction.ts';
import {KafkajsClient} from '../../connectors/kafka/kafkajs-client.ts';
import {type KafkajsBroker, type KafkajsCluster, kafkajsCluster} from '../../connectors/kafka/kafkajs-cluster.ts';
import {patiently} from '../../connectors/kafka/patiently.ts';
import {transactionCoordinator} from '../../connectors/kafka/transaction-coordinator.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {newName} from './toy-topics.ts';

/**
 * A broker that is killed while it ends a transaction can leave out marks. That takes luck, so here brokers let a producer write to a
 * partition that it has not added to its transaction, which gets no mark either.
 */
const cluster = await KafkaCluster.start({
  settings: {
    'transaction.partition.verification.enable': 'false',
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 200,
  },
  ...(process.env.KAFKA_VERSION && {version: process.env.KAFKA_VERSION}),
});
const client = await KafkajsClient.open({brokers: cluster.brokers});
test.after.always(async () => {
  await client[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const transactionTimeoutMs = 30_000;

type Writer = {readonly transactionalId: string; readonly producerId: string; readonly producerEpoch: number};
type PlainBroker = KafkajsBroker & {produce(request: object): Promise<unknown>};

async function newTopic(): Promise<string> {
  const topic = newName();
  await client.createTopic(topic, {partitions: 2});
  return topic;
}

/** Writes to both partitions of a topic in a transaction that knows of the first alone, and ends it. */
async function leaveUnmarked(topic: string, id: string, {commit}: {commit: boolean}): Promise<void> {
  await using broker = await plainBroker(topic, id);
  const {coordinator} = broker;
  const request = {transactionalId: id, transactionTimeout: transactionTimeoutMs};
  // Its coordinator may have to load still.
  const started = await patiently('open a plain producer', () => coordinator.initProducerId(request));
  const writer = {transactionalId: id, producerId: String(started.producerId), producerEpoch: started.producerEpoch};
  await coordinator.addPartitionsToTxn({...writer, topics: [{topic, partitions: [0]}]});
  await broker.write(writer, 0, 'known');
  await broker.write(writer, 1, 'unknown');
  await coordinator.endTxn({...writer, transactionResult: commit});
}

async function plainBroker(topic: string, id: string) {
  const plain: KafkajsCluster = kafkajsCluster(
    new kafkajs.Kafka({brokers: cluster.brokers, logLevel: kafkajs.logLevel.NOTHING}),
  );
  await plain.connect();
  await plain.addTargetTopic(topic);
  const broker = (await plain.findBroker({nodeId: '1'})) as PlainBroker;
  return {
    coordinator: await transactionCoordinator(plain, id),
    write: (writer: Writer, partition: number, key: string) =>
      broker.produce({
        ...writer,
        acks: -1,
        timeout: 10_000,
        topicData: [{topic, partitions: [{partition, firstSequence: 0, messages: [{key, value: key}]}]}],
      }),
    [Symbol.asyncDispose]: () => plain.disconnect(),
  };
}

async function read(topic: string, partition: number): Promise<{keys: string[]; endOffset: bigint}> {
  await using reader = await client.openReader(topic, partition);
  const {messages, endOffset} = await reader.fetch(0n, {maxBytes: 1 << 20, maxWaitMs: 500});
  return {keys: messages.map(({key}) => Buffer.from(key!).toString()), endOffset};
}

/** Reads once there is as much to read; marks come a moment after a commit. */
async function readKeys(topic: string, partition: number, count: number): Promise<string[]> {
  for (;;) {
    const {keys} = await read(topic, partition);
    if (keys.length >= count) return keys;
  }
}

for (const commit of [true, false]) {
  test.serial(
    `KafkajsProducer, when it is opened, ${commit ? 'shows' : 'drops'} what a broker forgot to mark`,
    async t => {
      const topic = await newTopic();
      await leaveUnmarked(topic, topic, {commit});
      t.deepEqual(await read(topic, 1), {keys: [], endOffset: 0n});
      await using producer = await client.openProducer(topic, {topics: [topic], transactionTimeoutMs});
      t.deepEqual(await read(topic, 0), {keys: commit ? ['known'] : [], endOffset: 2n});
      t.deepEqual(await read(topic, 1), {keys: commit ? ['unknown'] : [], endOffset: 2n});
      await producer.send(topic, 1, [{key: 'next', value: undefined}]);
      await producer.commit();
      t.deepEqual(await readKeys(topic, 1, commit ? 2 : 1), commit ? ['unknown', 'next'] : ['next']);
    },
  );
}

test.serial('KafkajsProducer, when it is opened, leaves alone what others have open', async t => {
  const topic = await newTopic();
  await leaveUnmarked(topic, topic, {commit: true});
  await using other = await client.openProducer(`${topic}-other`, {topics: [topic], transactionTimeoutMs});
  await other.send(topic, 0, [{key: 'other', value: undefined}]);
  await using _ = await client.openProducer(topic, {topics: [topic], transactionTimeoutMs});
  t.deepEqual(await readKeys(topic, 0, 1), ['known']);
  t.deepEqual(await readKeys(topic, 1, 1), ['unknown']);
  await other.commit();
  t.deepEqual(await readKeys(topic, 0, 2), ['known', 'other']);
});

test.serial(
  'KafkajsProducer writes nothing more where a broker that was killed forgot to mark what is committed',
  async t => {
    const topic = await newTopic();
    const producer = await client.openProducer(topic, {topics: [topic], transactionTimeoutMs});
    await producer.send(topic, 0, [{key: 'known', value: undefined}]);
    {
      await using broker = await plainBroker(topic, topic);
      const {producerId} = (await describeTransaction(broker.coordinator, topic))!;
      await broker.write({transactionalId: topic, producerId: String(producerId), producerEpoch: 0}, 1, 'unknown');
    }
    await producer.commit();
    t.deepEqual(await read(topic, 1), {keys: [], endOffset: 0n});
    await cluster.kill(0);
    await cluster.start(0);
    await t.throwsAsync(producer.send(topic, 0, [{key: 'next', value: undefined}]), {
      message: /lost marks of the transaction before/,
    });
    await producer[Symbol.asyncDispose]();
    await using heir = await client.openProducer(topic, {topics: [topic], transactionTimeoutMs});
    await heir.send(topic, 0, [{key: 'next', value: undefined}]);
    await heir.commit();
    t.deepEqual(await readKeys(topic, 0, 2), ['known', 'next']);
    t.deepEqual(await readKeys(topic, 1, 1), ['unknown']);
  },
);

test.serial('KafkajsProducer goes on when a broker was killed that had marked all', async t => {
  const topic = await newTopic();
  await using producer = await client.openProducer(topic, {topics: [topic], transactionTimeoutMs});
  await producer.send(topic, 0, [{key: 'before', value: undefined}]);
  await producer.commit();
  t.deepEqual(await readKeys(topic, 0, 1), ['before']);
  await cluster.kill(0);
  await cluster.start(0);
  await producer.send(topic, 0, [{key: 'after', value: undefined}]);
  await producer.commit();
  t.deepEqual(await readKeys(topic, 0, 2), ['before', 'after']);
});
