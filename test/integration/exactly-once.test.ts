import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {KafkajsClient} from '../../connectors/kafka/kafkajs-client.ts';
import {seededRandom} from '../operators/seeded-random.ts';
import {FaultProxy, type ProxyFault} from './fault-proxy.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {expectedMemory, expectedResults, toyDocuments} from './toy-documents.ts';
import {ToyFleet} from './toy-fleet.ts';
import {newName, produceRecords, readResults, readTopic, restoreAll} from './toy-topics.ts';

/** `PALIMPSEST_SEED=17` replays one; `PALIMPSEST_SEEDS=50` seeds from 1 on are `npm run test:long`. */
const {PALIMPSEST_SEED: one, PALIMPSEST_SEEDS: many = '5'} = process.env;
const seeds = one === undefined ? Array.from({length: Number(many)}, (_, i) => i + 1) : [Number(one)];

const partitions = 6;
const sessionTimeoutMs = 2000;

const proxy = await FaultProxy.listen();
const cluster = await KafkaCluster.start({
  proxyPorts: [proxy.port],
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

  const schedule: string[] = [];
  const faults: (readonly [name: string, run: () => Promise<void>])[] = [
    ['kill a worker', async () => restartLater(fleet, pick(fleet.running))],
    ['kill a worker', async () => restartLater(fleet, pick(fleet.running))],
    [
      'freeze a worker until others have its partitions',
      async () => {
        const index = pick(fleet.running);
        fleet.freeze(index);
        await delay(sessionTimeoutMs + 1500);
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
            const fault = pick(proxyFaults);
            schedule.push(`  ${fault.api} ${fault.kind}`);
            proxy.pending.push(fault);
            for (let waits = 0; proxy.pending.length > 0 && waits < 40; waits++) await delay(50);
          },
        ] as const,
    ),
  ];
  fleet.start(0);
  await until(() => fleet.events.some(({type}) => type === 'committed'), 'a first checkpoint', fleet);
  // 1, then 3, 2 and 1 workers, with faults in between.
  const counts = [3, 3, 2, 1];
  for (const count of counts) {
    for (let index = 0; index < 3; index++) {
      if (index < count) fleet.start(index);
      else if (fleet.running.includes(index)) t.is(await fleet.stop(index), 0, fleet.complaints.join('\n'));
    }
    for (let i = 0; i < 3; i++) {
      const [name, run] = pick(faults);
      schedule.push(name);
      if (fleet.running.length > 0) await run();
      await delay(200 + random() * 800);
    }
  }
  proxy.pending.length = 0;
  fleet.hurry();

  const context = `Replay with PALIMPSEST_SEED=${seed}; faults: ${schedule.join(', ')}`;
  for (let last = 0, waits = 0; read(fleet) < records.length; waits++) {
    if (read(fleet) > last) waits = 0;
    last = read(fleet);
    if (waits > 1800) throw new Error(`Nothing goes on. ${context}\n${report(fleet)}`);
    await delay(100);
  }
  for (const index of fleet.running) t.is(await fleet.stop(index), 0, fleet.complaints.join('\n'));
  await endTransactions(client, {application, topic});

  t.is((await readTopic(client, topic)).length, records.length, 'the input itself');
  const results = await readResults(client, output);
  t.is(results.size, documents.size, context);
  await using memories = await restoreAll(client, {application, topic});
  for (const [key, content] of documents) {
    t.deepEqual(results.get(key), expectedResults(content, segmentLength), `${key}. ${context}`);
    const record = await memories.get(key);
    const {segments, digest, pendingTokens} = expectedMemory(content, segmentLength);
    t.is(record?.segments, segments, `${key}. ${context}`);
    t.deepEqual([...record!.pendingTokens], pendingTokens, `${key}. ${context}`);
    if (segments === 0) continue;
    const {data} = record!.memory.tensors.memory!;
    t.is(data[0]! + data[1]! * 65536, digest, `${key}. ${context}`);
    t.true(
      data.subarray(2).every((value, i) => value === (digest + i + 2) % 65536),
      `${key}. ${context}`,
    );
  }
  const seen = (type: string) => fleet.events.filter(event => event.type === type).length;
  t.log(schedule.map(fault => fault.trim()).join(', '));
  t.log(
    `${proxy.met.length} faults on the wire so far; ${seen('fenced')} fenced, ${seen('retrying')} retries, ${seen('committed')} checkpoints`,
  );
}

/** Lets brokers show all that was committed: a new producer opens when the transactions before it are complete. */
async function endTransactions(client: KafkajsClient, {application, topic}: {application: string; topic: string}) {
  for (let partition = 0; partition < partitions; partition++) {
    const producer = await client.openProducer(`${application}.${topic}.${partition}`, {transactionTimeoutMs: 60_000});
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

async function until(condition: () => boolean, what: string, fleet: ToyFleet): Promise<void> {
  for (let waits = 0; !condition(); waits++) {
    if (waits > 3600) throw new Error(`Waited in vain for ${what}:\n${report(fleet)}`);
    await delay(50);
  }
}

function report({events, complaints}: ToyFleet): string {
  return [...complaints, ...events.slice(-40).map(event => JSON.stringify(event))].join('\n');
}
