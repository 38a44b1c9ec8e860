import test from 'ava';
import {unpack} from 'msgpackr';
import type {Embedding} from '../../operators/embedding.ts';
import {EncodeMessageStream, type EncodeMessageStreamOptions} from '../../operators/encode-message-stream.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Message} from '../../pipeline/message.ts';
import {OperatorDriver} from '../driver/operator-driver.ts';

const embedding: Embedding = {
  id: 'moby-dick',
  vector: Float32Array.of(0.6, -0.8),
  tokens: 10,
  segments: 2,
  bitsPerByte: 1.5,
  final: false,
  model: {name: 'small', fingerprint: 'abc'},
};

async function encoded(
  value: Embedding,
  {timestamp = 1_700_000_000_000, ...options}: EncodeMessageStreamOptions & {timestamp?: number} = {},
): Promise<Message> {
  await using driver = new OperatorDriver<Embedding, Message>(() => new EncodeMessageStream(options));
  const position = {partition: 'in/3', offset: 7n};
  const [output] = await driver.push({key: value.id, value, position, timestamp});
  if (output === undefined || output instanceof Checkpoint) throw new Error('There must be a record');
  return output.value;
}

test('EncodeMessageStream writes JSON, and headers that say what it was made of', async t => {
  const {value, headers} = await encoded(embedding);
  t.deepEqual(JSON.parse(Buffer.from(value).toString()), {
    id: 'moby-dick',
    embedding: [0.6, -0.8],
    dimension: 2,
    tokens: 10,
    segments: 2,
    bitsPerByte: 1.5,
    final: false,
    model: {name: 'small', fingerprint: 'abc'},
  });
  t.deepEqual(headers, {
    'content-type': 'application/json',
    'palimpsest-id': 'abc:in/3@7:x75sJr-EnJCuUWp1wyv7K0:2',
    'palimpsest-model': 'abc',
    'palimpsest-position': 'in/3@7',
  });
});

test('EncodeMessageStream writes MessagePack with every bit of the embedding', async t => {
  const {value, headers} = await encoded(embedding, {format: 'msgpack'});
  const {embedding: bytes, ...fields} = unpack(value) as {embedding: Uint8Array};
  t.deepEqual(new Float32Array(Uint8Array.from(bytes).buffer), embedding.vector);
  t.like(fields, {id: 'moby-dick', dimension: 2, final: false});
  t.is(headers['content-type'], 'application/msgpack');
  t.is(value.buffer.byteLength, value.length);
});

test('EncodeMessageStream tells the results of segment and document apart, and adds the headers of CloudEvents', async t => {
  const {headers} = await encoded({...embedding, final: true}, {cloudEventsSource: '/workers'});
  t.like(headers, {
    'palimpsest-id': 'abc:in/3@7:x75sJr-EnJCuUWp1wyv7K0:2:final',
    ce_specversion: '1.0',
    ce_id: 'abc:in/3@7:x75sJr-EnJCuUWp1wyv7K0:2:final',
    ce_source: '/workers',
    ce_type: 'palimpsest.embedding.document',
    ce_time: '2023-11-14T22:13:20.000Z',
  });
});

test('EncodeMessageStream tells apart the results of several documents of one record', async t => {
  const ids = ['a', 'b', 'long'.repeat(100_000)];
  const all = await Promise.all(ids.map(async id => (await encoded({...embedding, id})).headers['palimpsest-id']!));
  t.is(new Set(all).size, 3);
  t.true(all.every(id => id.length < 100));
});

test('EncodeMessageStream refuses formats that it does not know', t => {
  t.throws(() => new EncodeMessageStream({format: 'xml' as 'json'}), {
    instanceOf: RangeError,
    message: /one of json, msgpack/,
  });
});

test('EncodeMessageStream leaves out a time that no date can hold', async t => {
  const {headers} = await encoded(embedding, {cloudEventsSource: '/books', timestamp: 9e18});
  t.is(headers.ce_time, undefined);
  t.is(headers.ce_source, '/books');
});
