import * as zlib from 'node:zlib';
import test from 'ava';
import kafkajs from 'kafkajs';
import {type CompressionName, compressionNames, compressionType} from '../../../connectors/kafka/compression.ts';
import {compressionCodec} from '../../../connectors/kafka/compression-codec.ts';

const content = Buffer.from('to be compressed '.repeat(5000));
const {CompressionCodecs} = kafkajs;

for (const name of compressionNames) {
  if (name === 'none' || (name === 'zstd' && !('zstdCompressSync' in zlib))) continue;
  test(`A codec gives back what it has compressed: ${name}`, async t => {
    const codec = compressionCodec(compressionType(name))!;
    const compressed = await codec.compress(content);
    t.true(compressed.length < content.length / 5);
    t.deepEqual(await codec.decompress(compressed), content);
  });
}

test('There is no codec for what is not compressed', t => {
  t.is(compressionCodec(compressionType('none')), undefined);
});

test('Codecs that are registered with kafkajs stay as they are', t => {
  const before = {...CompressionCodecs};
  for (const name of ['snappy', 'lz4', 'gzip'] satisfies CompressionName[]) compressionCodec(compressionType(name));
  t.deepEqual({...CompressionCodecs}, before);
});
