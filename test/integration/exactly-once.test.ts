import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import kafkajs from 'kafkajs';
import {KafkajsClient} from '../../connectors/kafka/kafkajs-client.ts';
import {seededRandom} from '../operators/seeded-random.ts';
import {describeDocument} from './describe-document.ts';
import {FaultProxy, type ProxyFault} from './fault-proxy.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {expectedMemory, expectedResults, toyDocuments} from './toy-documents.ts';
import {ToyFleet} from './toy-fleet.ts';
import {newName, produceRecords, readResults, readTopic, restoreAll} from './toy-topics.ts';
import {transactionStates} from './transaction-states.ts';

/** `PALIMPSEST_SEED=17` replays one. */
const {PALIMPSEST_SEED: one} = process.env;
const seeds = one === undefined ? [1, 2, 3, 4, 5] : [Number(one)];

const partitions = 6;
const sessionTimeoutMs = 1500;

const proxy = await FaultProxy.listen();
const cluster = await KafkaCluster.start({
  proxyPorts: [proxy.port],
  // A broker that was killed is let in again only once its last session has expired.
  settings: {'broker.session.timeout.ms': 2000, 'broker.heartbeat.interval.ms': 200},
  ...(process.env.KAFKA_VERSION && {version: process.env.KAFKA_VERSION}),
});
proxy.target = cluster.proxiedPorts[0]!;
test.after.always(async () => {
  await proxy[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const proxyFaults: readonly ProxyFault[] = [
  {api: 'EndTxn', kind: 'lose-reply'},
  {api: 'EndTxn', kind: 'lose-request'},
  {api: 'EndTxn', kind: 500},
  {api: 'Produce', kind: 'lose-reply'},
  {api: 'Produce', kind: 'lose-request'},
  {api: 'Produce', kind: 500},
  {api: 'Fetch', kind: 'lose-reply'},
  {api: 'Fetch', kind: 1000},
  {api: 'Heartbeat', kind: 'lose-reply'},
];

for (const seed of seeds) {
  test.serial(`KafkaWorker reads every segment exactly once, in order, whatever fails (seed ${seed})`, async t => {
    t.timeout(900_000);
    await oracle(t, seed);
  });
}

async function oracle(t: ExecutionContext, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const large = seed % 5 === 0;
  const segmentLength = large ? 8192 : 512;
  const {documents, records} = toyDocuments(seed, {count: 200, minBytes: 1024, maxBytes: large ? 1 << 20 : 1 << 16});
  const application = newName();
  const topic = `${application}-in`;
  const output = `${application}-out`;
  await using client = await KafkajsClient.open({brokers: cluster.brokers});
  await client.createTopic(topic, {partitions});
  await client.createTopic(output, {partitions: 4});
  // Faults hit the workers alone.
  await produceRecords(cluster.brokers, {topic, records});
  await using fleet = await ToyFleet.create({
    brokers: [`127.0.0.1:${proxy.port}`],
    application,
    topic,
    output,
    checkpointMs: 250,
    sessionTimeoutMs,
    model: {segmentLength, memoryNumbers: 50_000, stepMs: 60},
  });

  const schedule: {readonly at: number; readonly type: string}[] = [];
  const metBefore = proxy.met.length;
  let asked = 0;
  const faults: (readonly [name: string, run: () => Promise<void>])[] = [
    ['kill a worker', async () => restartLater(fleet, pick(fleet.running))],
    ['kill a worker', async () => restartLater(fleet, pick(fleet.running))],
    [
      'freeze a worker until others have its partitions',
      async () => {
        const index = pick(fleet.running);
        fleet.freeze(index);
        await delay(sessionTimeoutMs + 1000);
        fleet.thaw(index);
      },
    ],
    [
      'kill the broker',
      async () => {
        await cluster.kill(0);
        await cluster.start(0);
      },
    ],
    ...Array.from(
      {length: 6},
      () =>
        [
          'break a reply',
          async () => {
            asked++;
            const fault = pick(proxyFaults);
            schedule.push({at: Date.now(), type: `${fault.api} ${fault.kind}`});
            proxy.pending.push(fault);
            for (let waits = 0; proxy.pending.length > 0 && waits < 40; waits++) await delay(50);
          },
        ] as const,
    ),
  ];
  const names = () => schedule.map(({type}) => type).join(', ');
  const report = async () => {
    const events = [...schedule, ...fleet.events].sort((a, b) => a.at - b.at);
    return [
      `Replay with PALIMPSEST_SEED=${seed}; faults: ${names()}`,
      ...fleet.complaints,
      ...events.map(({at, ...event}) => `${((at - started) / 1000).toFixed(3)} s ${JSON.stringify(event)}`),
      `Now: ${((Date.now() - started) / 1000).toFixed(3)} s`,
      ...(await transactionStates(cluster.data(0))),
      JSON.stringify(await describeGroup(application), null, 1),
    ].join('\n');
  };
  const started = Date.now();
  fleet.start(0);
  for (let waits = 0; !fleet.events.some(({type}) => type === 'committed'); waits++) {
    if (waits > 1200) throw new Error(`Waited in vain for a first checkpoint.\n${await report()}`);
    await delay(50);
  }
  // 1, then 3, 2 and 1 workers, with faults in between.
  const counts = [3, 3, 2, 1];
  for (const count of counts) {
    for (let index = 0; index < 3; index++) {
      if (index < count) fleet.start(index);
      else if (fleet.running.includes(index)) t.is(await fleet.stop(index), 0, fleet.complaints.join('\n'));
    }
    for (let i = 0; i < 3; i++) {
      const [name, run] = pick(faults);
      schedule.push({at: Date.now(), type: name});
      if (fleet.running.length > 0) await run();
      await delay(100 + random() * 500);
    }
  }
  proxy.pending.length = 0;
  fleet.hurry();

  for (let last = 0, waits = 0; read(fleet) < records.length; waits++) {
    if (read(fleet) > last) waits = 0;
    last = read(fleet);
    if (waits > 1800) throw new Error(`Nothing goes on.\n${await report()}`);
    await delay(100);
  }
  for (const index of fleet.running) t.is(await fleet.stop(index), 0, fleet.complaints.join('\n'));
  await endTransactions(client, {application, topic, output});

  t.is((await readTopic(client, topic)).length, records.length, 'the input itself');
  const results = await readResults(client, output);
  t.is(results.size, documents.size);
  await using memories = await restoreAll(client, {application, topic});
  for (const [key, content] of documents) {
    try {
      t.deepEqual(results.get(key), expectedResults(content, segmentLength), key);
      const record = await memories.get(key);
      const {segments, digest, pendingTokens} = expectedMemory(content, segmentLength);
      t.is(record?.segments, segments, key);
      t.deepEqual([...record!.pendingTokens], pendingTokens, key);
      if (segments === 0) continue;
      const {data} = record!.memory.tensors.memory!;
      t.is(data[0]! + data[1]! * 65536, digest, key);
      t.true(
        data.subarray(2).every((value, i) => value === (digest + i + 2) % 65536),
        key,
      );
    } catch (error) {
      t.log(await describeDocument(key, {data: cluster.data(0), application, topic, output}));
      t.log(await report());
      throw error;
    }
  }
  const met = proxy.met.length - metBefore;
  // Of few, all may be of requests that nobody makes any more.
  if (asked > 2) t.true(met > 0, `none of ${asked} faults on the wire came about`);
  const seen = (type: string) => fleet.events.filter(event => event.type === type).length;
  t.log(names());
  t.log(
    `${met} of ${asked} faults on the wire; ${seen('fenced')} fenced, ${seen('retrying')} retries, ${seen('committed')} checkpoints`,
  );
}

/** Members of the workers' group and its state, as brokers tell. */
async function describeGroup(application: string): Promise<unknown> {
  const admin = new kafkajs.Kafka({brokers: cluster.brokers, logLevel: kafkajs.logLevel.NOTHING}).admin();
  try {
    await admin.connect();
    const {groups} = await admin.describeGroups([application]);
    return groups.map(({state, members}) => ({
      state,
      members: members.map(({memberId, memberAssignment}) => ({memberId, assignment: memberAssignment.toString()})),
    }));
  } catch (error) {
    return (error as Error).message;
  } finally {
    await admin.disconnect();
  }
}

/** Lets brokers show all that was committed: a new producer opens when the transactions before it are complete. */
async function endTransactions(
  client: KafkajsClient,
  {application, topic, output}: {application: string; topic: string; output: string},
) {
  const topics = [`${application}.${topic}.changelog`, output];

  for (let partition = 0; partition < partitions; partition++) {
    const producer = await client.openProducer(`${application}.${topic}.${partition}`, {
      topics,
      transactionTimeoutMs: 60_000,
    });
    await producer[Symbol.asyncDispose]();
  }
}

/** Records that are read for good, in all partitions. */
function read({events}: ToyFleet): number {
  const next = new Map<unknown, number>();
  for (const {partition, nextOffset} of events) {
    if (nextOffset !== undefined) next.set(partition, Math.max(next.get(partition) ?? 0, Number(nextOffset)));
  }
  return [...next.values()].reduce((sum, offset) => sum + offset, 0);
}

async function restartLater(fleet: ToyFleet, index: number): Promise<void> {
  await fleet.kill(index);
  await delay(200);
  fleet.start(index);
}
