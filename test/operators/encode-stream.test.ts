import test from 'ava';
import {NumericalError} from '../../errors.ts';
import type {Embedding} from '../../operators/embedding.ts';
import {EncodeStream} from '../../operators/encode-stream.ts';
import {Checkpoint, type StreamRecord} from '../../pipeline/index.ts';
import {seededRandom} from './seeded-random.ts';
import {through} from './through.ts';

function embedding(changes: Partial<Embedding> = {}): StreamRecord<Embedding> {
  const value: Embedding = {
    id: 'Dokument "ä"\n',
    vector: Float32Array.of(0.6, -0.8, 0),
    tokens: 1200,
    segments: 10,
    bitsPerByte: 2.1234564999,
    final: true,
    model: {name: 'small', fingerprint: 'ab12'},
    ...changes,
  };
  return {key: value.id, value, position: {partition: 'a', offset: 9n}, timestamp: 5};
}

async function encode(changes: Partial<Embedding>): Promise<string> {
  const [record] = await through(new EncodeStream(), [embedding(changes)]);
  return new TextDecoder().decode((record as StreamRecord<Uint8Array>).value);
}

test('EncodeStream writes an embedding as one line of JSON', async t => {
  t.is(
    await encode({}),
    '{"id":"Dokument \\"ä\\"\\n","embedding":[0.6,-0.8,0],"dimension":3,"tokens":1200,"segments":10,' +
      '"bitsPerByte":2.123456,"final":true,"model":{"name":"small","fingerprint":"ab12"}}\n',
  );
  t.like(JSON.parse(await encode({final: false, bitsPerByte: 0, vector: new Float32Array(0)})), {
    final: false,
    bitsPerByte: 0,
    embedding: [],
    dimension: 0,
  });
});

test('EncodeStream keeps key, position and timestamp, and lets barriers pass', async t => {
  const barrier = new Checkpoint(new Map());
  const [record, passed] = await through(new EncodeStream(), [embedding(), barrier]);
  const {value: _, ...rest} = record as StreamRecord<Uint8Array>;
  const {value: __, ...expected} = embedding();
  t.deepEqual(rest, expected);
  t.is(passed, barrier);
});

test('EncodeStream writes float32 numbers of any bit pattern so that they read back as the same bits', async t => {
  const random = seededRandom(3);
  const bits = Uint32Array.from({length: 20_000}, () => random() * 2 ** 32);
  const vector = new Float32Array(bits.buffer).filter(Number.isFinite);
  t.true(vector.length > 19_000);
  const read = Float32Array.from(JSON.parse(await encode({vector})).embedding);
  t.deepEqual(new Uint32Array(read.buffer), new Uint32Array(vector.buffer));
});

test('EncodeStream refuses numbers that are not finite', async t => {
  const cases: readonly [Partial<Embedding>, RegExp][] = [
    [
      {vector: Float32Array.of(0, Number.NaN)},
      /^Cannot encode document "d" as embedding\[1\] must be finite: current value is NaN$/,
    ],
    [{vector: Float32Array.of(Number.NEGATIVE_INFINITY)}, /embedding\[0\] must be finite: current value is -Infinity$/],
    [{bitsPerByte: Number.NaN}, /bitsPerByte must be finite/],
    [{tokens: Number.POSITIVE_INFINITY}, /tokens must be finite/],
    [{segments: Number.NaN}, /segments must be finite/],
  ];
  for (const [changes, message] of cases) {
    await t.throwsAsync(encode({id: 'd', ...changes}), {instanceOf: NumericalError, message});
  }
});
