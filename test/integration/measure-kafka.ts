import {TransformStream} from 'node:stream/web';
import {setTimeout as delay} from 'node:timers/promises';
import kafkajs from 'kafkajs';
import {benchCells} from '../../bench/bench-cell.ts';
import {formatTable} from '../../bench/format-table.ts';
import {median} from '../../bench/median.ts';
import {readProgram} from '../../bench/read-program.ts';
import {
  InMemoryPartitionStores,
  KafkajsClient,
  KafkaWorker,
  LmdbPartitionStores,
  type WorkerEvent,
} from '../../connectors/kafka/index.ts';
import {restoreStore} from '../../connectors/kafka/restore-store.ts';
import {LmdbStore} from '../../memory-store/index.ts';
import {ScopedModel} from '../../model/scoped-model.ts';
import {ByteTokenizer} from '../../model/tokenizer/byte-tokenizer.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {ModelWorker} from '../../model/worker/model-worker.ts';
import {DecodeStream, EncodeMessageStream, MessageDecoder, RememberStream} from '../../operators/index.ts';
import {
  Checkpoint,
  type DocumentChunk,
  type Element,
  type Message,
  Pipeline,
  type StreamRecord,
} from '../../pipeline/index.ts';
import {temporaryFolder} from '../memory-store/temporary-folder.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {ToyFleet} from './toy-fleet.ts';
import {toyWorker} from './toy-pipeline.ts';
import {newName, produceRecords, readTopic} from './toy-topics.ts';

const measures = {logLines, checkpoints, latency, restoring, engine, workers};
type Measure = keyof typeof measures;

const {values, names: chosen} = readProgram({
  command: 'npm run bench:kafka',
  about: 'Measures what delivery through Kafka costs, on one broker of this machine.',
  options: {threads: {kind: 'number', value: 'number', about: 'threads of the engine (default: all)'}},
  names: Object.keys(measures),
});
// Compaction as often as brokers do it by default.
await using cluster = await KafkaCluster.start({longRunning: true, settings: {'log.cleaner.backoff.ms': 15_000}});
const {brokers} = cluster;
await using client = await KafkajsClient.open({brokers});
const rows: [string, string][] = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(measures)) rows.push(await measures[name as Measure]());
console.log(formatTable(['what', '>figure'], rows));

async function topics(partitions = 1) {
  const application = newName();
  const names = {application, topic: `${application}-in`, output: `${application}-out`};
  await client.createTopic(names.topic, {partitions});
  await client.createTopic(names.output, {partitions: 1});
  return names;
}

/** Log lines of 200 bytes through source, decoder, a stage that makes one result of each, transaction and sink. */
async function logLines(): Promise<[string, string]> {
  const names = await topics();
  const count = 200_000;
  await produceLines(names.topic, count);
  const echo = () =>
    new TransformStream<Element<StreamRecord<DocumentChunk>>, Element<StreamRecord<Message>>>({
      transform(element, controller) {
        if (element instanceof Checkpoint) controller.enqueue(element);
        else controller.enqueue({...element, value: {value: element.value.content, headers: {}}});
      },
    });
  let started = 0;
  const worker: KafkaWorker = new KafkaWorker({
    ...names,
    client,
    stores: new InMemoryPartitionStores(),
    checkpointMs: 1000,
    pipeline: ({source}) =>
      Pipeline.from(source)
        .through(() => new DecodeStream(new MessageDecoder()))
        .through(echo),
    onEvent: event => {
      if (event.type === 'started') started = performance.now();
      if (event.type === 'committed' && event.nextOffset === BigInt(count)) worker.stop();
    },
  });
  await worker.run();
  const seconds = (performance.now() - started) / 1000;
  return [
    'records of 200 bytes read, passed on and committed, one result each, exactly once',
    `${Math.round(count / seconds)}/s`,
  ];
}

/** Checkpoints of one document with a memory of 100 kB, one after each record. */
async function checkpoints(): Promise<[string, string]> {
  const names = await topics();
  const count = 400;
  const records = Array.from({length: count}, () => ({key: 'document', value: Buffer.alloc(64, 'a'), last: false}));
  await produceRecords(brokers, {topic: names.topic, records});
  const {path, remove} = await temporaryFolder();
  const stores = new LmdbPartitionStores(path);
  const times: number[] = [];
  const worker = toyWorker({
    ...names,
    client,
    stores,
    checkpointBytes: 1,
    model: {segmentLength: 64, memoryNumbers: 25_000},
    onEvent: event => {
      if (event.type !== 'committed') return;
      times.push(performance.now());
      if (event.nextOffset === BigInt(count)) worker.stop();
    },
  });
  await worker.run();
  await remove();
  const seconds = (times.at(-1)! - times[0]!) / 1000;
  return [
    'checkpoints of a memory of 100 kB, stored in LMDB, one partition',
    `${((times.length - 1) / seconds).toFixed(1)}/s`,
  ];
}

/** From a record that fills a segment being written until its result can be read, with a checkpoint each second. */
async function latency(): Promise<[string, string]> {
  const names = await topics();
  const events: WorkerEvent[] = [];
  const worker = toyWorker({
    ...names,
    client,
    stores: new InMemoryPartitionStores(),
    checkpointMs: 1000,
    model: {segmentLength: 64},
    onEvent: event => events.push(event),
  });
  const done = worker.run();
  while (!events.some(({type}) => type === 'started')) await new Promise(resolve => setTimeout(resolve, 50));
  const reader = await client.openReader(names.output, 0);
  const times: number[] = [];
  let offset = 0n;
  for (let i = 0; i < 15; i++) {
    const sent = performance.now();
    const value = Buffer.alloc(64, 'a');
    await produceRecords(brokers, {topic: names.topic, records: [{key: 'document', value, last: false}]});
    for (let found = false; !found; ) {
      const {messages, nextOffset} = await reader.fetch(offset, {maxBytes: 1 << 20, maxWaitMs: 100});
      offset = nextOffset;
      found = messages.length > 0;
    }
    times.push(performance.now() - sent);
  }
  await reader[Symbol.asyncDispose]();
  worker.stop();
  await done;
  return [
    'from a segment written to its result readable, checkpoint every second, median',
    `${Math.round(median(times))} ms`,
  ];
}

/** Memories of 12 MB from the changelog into an empty LMDB store. */
async function restoring(): Promise<[string, string]> {
  const names = await topics();
  const documents = 40;
  const records = Array.from({length: documents}, (_, i) => ({
    key: `d${i}`,
    value: Buffer.alloc(64, 'a'),
    last: false,
  }));
  await produceRecords(brokers, {topic: names.topic, records});
  const worker = toyWorker({
    ...names,
    client,
    stores: new InMemoryPartitionStores(),
    model: {segmentLength: 64, memoryNumbers: 3_000_000},
    onEvent: event => {
      if (event.type === 'committed' && event.nextOffset === BigInt(documents)) worker.stop();
    },
  });
  await worker.run();
  const changelog = `${names.application}.${names.topic}.changelog`;
  const rates: number[] = [];
  for (let run = 0; run < 3; run++) {
    const {path, remove} = await temporaryFolder();
    const local = await LmdbStore.open(path);
    const reader = await client.openReader(changelog, 0);
    const start = performance.now();
    const {bytes} = await restoreStore({
      local,
      reader,
      changelog,
      partition: 0,
      source: `${names.topic}/0`,
      fingerprint: undefined,
      signal: new AbortController().signal,
    });
    rates.push(bytes / 1e3 / (performance.now() - start));
    await reader[Symbol.asyncDispose]();
    await local[Symbol.asyncDispose]();
    await remove();
  }
  return [
    `restoring ${documents} memories of 12 MB from the changelog into LMDB, median of 3`,
    `${Math.round(median(rates))} MB/s (${rates.map(rate => Math.round(rate)).join(', ')})`,
  ];
}

/**
 * Sixteen documents, each byte a token: in turn with the engine alone, and through a worker that makes a checkpoint every 5 seconds, from one
 * checkpoint to a later one; a new worker, topic and store each time. The first rounds, in which the broker compiles itself, do not count.
 */
async function engine(): Promise<[string, string]> {
  const rounds = 9;
  const batch = 16;
  const config = {...benchCells.find(({name}) => name === 'B16')!.config, vocabularySize: 256};
  await using model = await ModelWorker.start(
    {name: 'bench', fingerprint: '0'.repeat(16), config, weights: initialiseWeights(config, 1)},
    {engine: 'native', ...(values.threads !== undefined && {threads: values.threads})},
  );
  const alone = async (steps: number) => {
    const rows = Array.from({length: batch}, (_, i) => ({
      memory: `alone ${i}`,
      tokens: new Int32Array(config.segmentLength).fill(i),
    }));
    // The first steps are slower.
    for (let i = 0; i < 5; i++) await model.step(rows);
    const started = performance.now();
    for (let i = 0; i < steps; i++) await model.step(rows);
    const seconds = (performance.now() - started) / 1000;
    await model.release(rows.map(({memory}) => memory));
    return (batch * steps * config.segmentLength) / seconds;
  };
  const rates: number[] = [];
  const shares: number[] = [];
  for (let round = 0; round < 4; round++) await throughWorker(model, batch);
  for (let round = 0; round < rounds; round++) {
    const before = await alone(50);
    const rate = await throughWorker(model, batch);
    const rateAlone = (before + (await alone(50))) / 2;
    rates.push(rateAlone);
    shares.push(rate / rateAlone);
  }
  return [
    `tokens of 16 documents of configuration B, checkpoint every 5 s, beside the engine alone, median of ${rounds} (${Math.min(...shares).toFixed(2)} to ${Math.max(...shares).toFixed(2)})`,
    `${median(shares).toFixed(2)} of ${Math.round(median(rates))}/s`,
  ];
}

/** Tokens a second. */
async function throughWorker(model: ModelWorker, batch: number): Promise<number> {
  const segments = 160;
  const {segmentLength} = model.config;
  const names = await topics();
  const records = Array.from({length: segments * batch}, (_, i) => ({
    key: `d${i % batch}`,
    // Each byte is a token only where it is text.
    value: Buffer.alloc(segmentLength, 0x20 + (i % 90)),
    last: false,
  }));
  await produceRecords(brokers, {topic: names.topic, records});
  const {path, remove} = await temporaryFolder();
  let read = 0;
  const onSegment = () => {
    read++;
  };
  const commits: {seconds: number; read: number}[] = [];
  const worker: KafkaWorker = new KafkaWorker({
    ...names,
    client,
    stores: new LmdbPartitionStores(path),
    pipeline: ({source, store, checkpoints, own}) => {
      const scoped = own(new ScopedModel(model));
      const tokenizer = new ByteTokenizer();
      return Pipeline.from(source)
        .through(() => new DecodeStream(new MessageDecoder()))
        .through(
          () => new RememberStream({model: scoped, store, checkpoints, tokenizer, batch, every: 'segment', onSegment}),
        )
        .through(() => new EncodeMessageStream());
    },
    onEvent: event => {
      if (event.type !== 'committed') return;
      commits.push({seconds: performance.now() / 1000, read});
      if (event.nextOffset === BigInt(records.length)) worker.stop();
    },
  });
  await worker.run();
  await remove();
  // The first is made before anything is read; behind the last one nothing is read any more.
  const [first, last] = [commits[1]!, commits.at(-2)!];
  return ((last.read - first.read) * segmentLength) / (last.seconds - first.seconds);
}

/** Three worker processes beside one, where a step sleeps for 20 ms and no two of a process do at once. */
async function workers(): Promise<[string, string]> {
  const rate = async (count: number) => {
    const names = await topics(12);
    const segments = 900;
    const records = Array.from({length: segments}, (_, i) => ({
      key: `d${i % 120}`,
      value: Buffer.alloc(64, 'a'),
      last: false,
    }));
    const options = {brokers, ...names, checkpointMs: 500, sessionTimeoutMs: 10_000};
    await using fleet = await ToyFleet.create({...options, model: {segmentLength: 64, stepMs: 20, oneAtATime: true}});
    for (let i = 0; i < count; i++) fleet.start(i);
    const last = () => new Map(fleet.events.filter(({type}) => type === 'started').map(e => [e.partition, e.worker]));
    while (last().size < 12 || new Set(last().values()).size < count) await delay(50);
    await delay(2000);
    const started = performance.now();
    await produceRecords(brokers, {topic: names.topic, records});
    const read = () => {
      const next = new Map(
        fleet.events.filter(e => e.type === 'committed').map(e => [e.partition, Number(e.nextOffset)]),
      );
      return [...next.values()].reduce((sum, offset) => sum + offset, 0);
    };
    while (read() < segments) await delay(20);
    return (segments * 1000) / (performance.now() - started);
  };
  const one = await rate(1);
  const three = await rate(3);
  return [
    'work of three workers beside that of one, where steps sleep for 20 ms',
    `${(three / one).toFixed(2)} times ${one.toFixed(1)} segments/s`,
  ];
}

async function produceLines(topic: string, count: number): Promise<void> {
  const producer = new kafkajs.Kafka({brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING}).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  for (let start = 0; start < count; start += 2000) {
    const messages = Array.from({length: 2000}, (_, i) => ({key: `host-${(start + i) % 100}`, value: 'x'.repeat(200)}));
    await producer.send({topic, messages});
  }
  await producer.disconnect();
  await readTopic(client, topic);
}
