import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {serveHttp} from '../../../cli/worker/serve-http.ts';
import {WorkerHealth} from '../../../cli/worker/worker-health.ts';
import {DeadLetterTopic} from '../../../connectors/kafka/dead-letter-topic.ts';
import {endHeader} from '../../../connectors/kafka/partition-source.ts';
import {DecodeError} from '../../../errors.ts';
import {readTopic} from '../../integration/toy-topics.ts';
import {type RunningWorker, WorkerBench, workerConfig} from './worker-bench.ts';

/** Value of a metric by its name and part of its labels. */
async function metric({worker}: RunningWorker, name: string, labels = ''): Promise<number> {
  const text = await worker.metrics.registry.metrics();
  const line = text
    .split('\n')
    .find(entry => new RegExp(`^${name}(\\{[^}]*\\})? `).test(entry) && entry.includes(labels));
  return Number(line?.split(' ').at(-1));
}

test('LiveWorker reads documents, commits what it has read when it stops, and tells about it', async t => {
  const bench = await WorkerBench.open();
  await bench.write(
    {key: 'a', value: 'abcdefghij', timestamp: Date.now() - 60_000},
    {key: 'a', value: 'kl', headers: {[endHeader]: '1'}, timestamp: Date.now() - 60_000},
  );
  const running = bench.start(workerConfig());
  await bench.resultCount(3);
  t.true(running.health.ready);
  t.is(await metric(running, 'palimpsest_tokens_total'), 12);
  t.is(await metric(running, 'palimpsest_segments_total'), 2);
  t.is(await metric(running, 'palimpsest_segment_seconds_count'), 2);
  t.is(await metric(running, 'palimpsest_results_total'), 3);
  t.true((await metric(running, 'palimpsest_transactions_total', 'outcome="committed"')) > 0);
  t.true((await metric(running, 'palimpsest_checkpoint_seconds_count')) > 0);
  t.is(await metric(running, 'palimpsest_stored_documents', 'partition="0"'), 1);
  t.true((await metric(running, 'palimpsest_stored_bytes', 'partition="0"')) > 100);
  t.is(await metric(running, 'palimpsest_partitions', 'state="reading"'), 1);
  await bench.until(async () => (await metric(running, 'palimpsest_consumer_lag_records')) === 0, 'no lag');
  t.is(await metric(running, 'palimpsest_consumer_lag_seconds'), 0);
  t.true((await metric(running, 'nodejs_eventloop_lag_p99_seconds')) >= 0);
  await running.stop();
  t.false(running.health.ready);
  t.deepEqual(await bench.results(), [
    ['a', 1, 8, false],
    ['a', 2, 12, false],
    ['a', 2, 12, true],
  ]);
  const committed = running.logged.find(({msg}) => msg === 'committed');
  t.like(committed, {level: 'debug', topic: 'in', partition: 0});
  t.is(typeof committed!.offset, 'number');
  for (const message of ['assigned', 'restored memories', 'reading', 'stopped reading']) {
    t.true(
      running.logged.some(({msg}) => msg === message),
      message,
    );
  }
});

test('LiveWorker shows how far it lags behind while it reads', async t => {
  const bench = await WorkerBench.open();
  const timestamp = Date.now() - 3_600_000;
  await bench.write(...Array.from({length: 40}, () => ({key: 'a', value: 'abcdefgh', timestamp})));
  const running = bench.start(workerConfig('reading.bufferedSegments=1', 'reading.batch=1'), {stepMs: 30});
  // Known from the first checkpoint on.
  await bench.until(async () => (await metric(running, 'palimpsest_consumer_lag_seconds')) > 0, 'a lag');
  t.true((await metric(running, 'palimpsest_consumer_lag_records')) > 0);
  const seconds = await metric(running, 'palimpsest_consumer_lag_seconds');
  t.true(seconds >= 3600 && seconds < 3700, String(seconds));
  t.is(await metric(running, 'palimpsest_hot_documents', 'partition="0"'), 1);
  t.is(await metric(running, 'palimpsest_hot_bytes', 'partition="0"'), 256);
  await bench.resultCount(40);
  await running.stop();
});

test('LiveWorker ends at a message that cannot be decoded, if it is to', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'no JSON'});
  const running = bench.start(workerConfig('input.format=json'));
  await t.throwsAsync(running.done, {instanceOf: DecodeError, message: /the record at offset 0 of "in\/0"/});
});

test('LiveWorker passes over messages that cannot be decoded, logs and counts them', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'no JSON'}, {key: 'b', value: '{"text": "abcdefgh"}'});
  const running = bench.start(workerConfig('input.format=json', 'input.undecodable=skip'));
  await bench.resultCount(1);
  await running.stop();
  t.is(await metric(running, 'palimpsest_dead_letters_total', 'action="skip"'), 1);
  t.deepEqual(await readTopic(bench.kafka, 'letters'), []);
  t.like(
    running.logged.find(({msg}) => msg === 'passed over a message'),
    {level: 'warn', topic: 'in', partition: 0, offset: 0, document: 'a'},
  );
});

test('LiveWorker puts messages into the dead letters that are read once when they are replayed', async t => {
  const bench = await WorkerBench.open({partitions: 2});
  await bench.write(
    {key: 'a', value: '{"body": "abcdefgh"}', timestamp: 1000, partition: 1},
    {key: 'b', value: '{"text": "abcdefgh"}', partition: 0},
    {key: 'a', value: '{"body": "ij"}', timestamp: 2000, headers: {[endHeader]: '1'}, partition: 1},
  );
  const config = workerConfig('input.format=json', 'input.undecodable=dead-letter');
  const running = bench.start(config);
  await bench.until(async () => (await readTopic(bench.kafka, 'letters')).length === 2, 'dead letters');
  t.is(await metric(running, 'palimpsest_dead_letters_total', 'action="dead-letter"'), 2);
  await running.stop();

  const letters = new DeadLetterTopic(bench.kafka, 'letters');
  const listed = [];
  for await (const letter of letters.list()) listed.push(letter);
  t.deepEqual(
    listed.map(({key, source, timestamp, last, errorName, replayed}) => [
      key,
      source,
      timestamp,
      last,
      errorName,
      replayed,
    ]),
    [
      ['a', 'in/1@0', 1000, false, 'DecodeError', false],
      ['a', 'in/1@1', 2000, true, 'DecodeError', false],
    ],
  );
  t.regex(listed[0]!.message, /its "text" is missing/);
  t.is(await letters.replay({input: 'in', application: 'app', keys: new Set(['c'])}), 0);
  t.is(await letters.replay({input: 'in', application: 'app'}), 2);
  t.is(await letters.replay({input: 'in', application: 'app'}), 0);

  const right = bench.start(workerConfig('input.format=json', 'input.undecodable=dead-letter', 'input.textField=body'));
  await bench.until(async () => (await bench.results()).some(([id, , , final]) => id === 'a' && final), 'the document');
  await right.stop();
  t.deepEqual(
    (await bench.results()).filter(([id]) => id === 'a'),
    [
      ['a', 1, 8, false],
      ['a', 2, 10, false],
      ['a', 2, 10, true],
    ],
  );
  const replayed = [];
  for await (const letter of letters.list()) replayed.push(letter.replayed);
  t.deepEqual(replayed, [true, true]);
});

test('LiveWorker emits what waits of a quiet document in a transaction although nothing more comes', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'abcdefghij'});
  const running = bench.start(workerConfig('reading.idle=100ms'));
  await bench.resultCount(2);
  await delay(300);
  t.deepEqual(await bench.results(), [
    ['a', 1, 8, false],
    ['a', 2, 10, false],
  ]);
  await bench.write({key: 'a', value: 'klmnop'});
  await bench.resultCount(3);
  await running.stop();
  t.deepEqual((await bench.results())[2], ['a', 2, 16, false]);
  const ids = (await readTopic(bench.kafka, 'out')).map(({headers}) => String(headers['palimpsest-id']));
  t.is(new Set(ids).size, 3);
});

test('LiveWorker forgets documents that have expired, in the changelog as well', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'abcdefgh', timestamp: 1_000_000});
  const running = bench.start(workerConfig('reading.expireAfter=1m'));
  await bench.resultCount(1);
  await bench.write({key: 'b', value: 'abcdefgh', timestamp: 1_130_000});
  await bench.resultCount(2);
  await bench.until(async () => (await metric(running, 'palimpsest_documents_expired_total')) === 1, 'the expiry');
  await bench.write({key: 'a', value: 'abcdefgh', timestamp: 1_140_000});
  await bench.resultCount(3);
  await running.stop();
  t.deepEqual((await bench.results())[2], ['a', 1, 8, false]);
  const changelog = await readTopic(bench.kafka, 'app.in.changelog');
  t.true(changelog.some(({key, value}) => String(key) === '0:a' && value === undefined));
});

test('LiveWorker shows results before the checkpoint when they need only come at least once', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'abcdefgh'});
  const running = bench.start(workerConfig('delivery.guarantee=at-least-once', 'delivery.checkpointEvery=1h'));
  await bench.resultCount(1);
  t.false(running.logged.some(({msg}) => msg === 'committed'));
  await running.stop();
});

test('LiveWorker writes CloudEvents in binary mode', async t => {
  const bench = await WorkerBench.open();
  await bench.write({key: 'a', value: 'abcdefgh', timestamp: 1000});
  const running = bench.start(workerConfig('output.cloudEventsSource=/workers/one'));
  await bench.resultCount(1);
  await running.stop();
  const [result] = await readTopic(bench.kafka, 'out');
  const text = Object.fromEntries(Object.entries(result!.headers).map(([name, value]) => [name, String(value)]));
  t.like(text, {ce_specversion: '1.0', ce_source: '/workers/one', ce_time: '1970-01-01T00:00:01.000Z'});
  t.is(text.ce_id, text['palimpsest-id']);
});

test('LiveWorker rejects with the reason for ending it at once, and leaves what is not committed to the next', async t => {
  const bench = await WorkerBench.open();
  await bench.write(...Array.from({length: 20}, () => ({key: 'a', value: 'abcdefgh'})));
  const ending = new AbortController();
  const first = bench.start(workerConfig('delivery.checkpointEvery=1h'), {stepMs: 20, signal: ending.signal});
  await bench.until(() => first.health.ready, 'the worker');
  ending.abort(new Error('enough'));
  await t.throwsAsync(first.done, {message: 'enough'});
  t.deepEqual(await bench.results(), []);
  const second = bench.start(workerConfig());
  await bench.resultCount(20);
  await second.stop();
  t.is((await bench.results()).length, 20);
});

test('LiveWorker holds no more of its partitions than it may', async t => {
  const bench = await WorkerBench.open({partitions: 4});
  const messages = Array.from({length: 80}, (_, i) => ({key: `d${i % 4}`, value: 'x'.repeat(1000), partition: i % 4}));
  await bench.write(...messages);
  const reads = new Map<number, number>();
  const open = bench.kafka.openReader.bind(bench.kafka);
  let largest = 0;
  bench.kafka.openReader = async (topic, partition) => {
    const reader = await open(topic, partition);
    if (topic !== 'in') return reader;
    return {
      ...reader,
      fetch: async (offset, options) => {
        const fetched = await reader.fetch(offset, options);
        reads.set(partition, fetched.messages.length);
        largest = Math.max(largest, options.maxBytes);
        return fetched;
      },
    };
  };
  const running = bench.start(workerConfig('limits.heldBytes=16KiB', 'limits.fetchBytes=1MiB'), {});
  await bench.resultCount(80 * 125);
  await running.stop();
  t.is(reads.size, 4);
  t.true(largest <= 8 * 1024, String(largest));
});

test('serveHttp says that a worker is not ready before it has partitions', async t => {
  const registry = {contentType: 'text/plain', metrics: async () => ''};
  await using http = await serveHttp({host: '127.0.0.1', port: 0, registry, health: new WorkerHealth()});
  const response = await fetch(`${http.url}/readyz`);
  t.is(response.status, 503);
  t.deepEqual(await response.json(), {ready: false, phase: 'starting', partitions: {}});
});

test('serveHttp serves metrics and says whether the worker lives and is ready', async t => {
  const bench = await WorkerBench.open();
  const running = bench.start(workerConfig());
  const {registry} = running.worker.metrics;
  await using http = await serveHttp({host: '127.0.0.1', port: 0, registry, health: running.health});
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`${http.url}${path}`, {method});
    return [response.status, await response.text()] as const;
  };
  t.regex(http.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  await bench.until(() => running.health.ready, 'the worker');
  t.deepEqual(await get('/livez'), [200, 'ok\n']);
  const [status, ready] = await get('/readyz');
  t.is(status, 200);
  t.deepEqual(JSON.parse(ready), {ready: true, phase: 'working', partitions: {0: 'reading'}});
  const [found, text] = await get('/metrics');
  t.is(found, 200);
  t.regex(text, /^palimpsest_model_info\{model="toy",fingerprint="toy-fingerprint",topic="in"\} 1$/m);
  t.regex(text, /^palimpsest_transactions_total\{outcome="fenced",topic="in"\} 0$/m);
  t.is((await get('/other'))[0], 404);
  t.is((await get('/metrics', 'POST'))[0], 405);
  t.deepEqual(await get('/metrics', 'HEAD'), [200, '']);
  const port = Number(new URL(http.url).port);
  await t.throwsAsync(serveHttp({host: '127.0.0.1', port, registry, health: running.health}), {
    message: /port \d+ of 127.0.0.1 must be free: .*; set http.port/,
  });
  running.worker.stop();
  t.is((await get('/readyz'))[0], 503);
  await running.done;
});
