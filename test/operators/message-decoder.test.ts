import test from 'ava';
import {Packr} from 'msgpackr';
import {MessageDecoder, type MessageDecoderOptions} from '../../operators/message-decoder.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';

const packr = new Packr({useRecords: false});

function decoded(
  options: MessageDecoderOptions,
  {key = 'k', ...chunk}: Partial<DocumentChunk> & {key?: string},
): unknown {
  const value = {content: new Uint8Array(0), last: false, ...chunk};
  const position = {partition: 'in/0', offset: 3n};
  const [first, ...more] = new MessageDecoder(options).decode({key, value, position, timestamp: 5});
  if (more.length > 0 || first === undefined) throw new Error('One message must give one record');
  if ('error' in first) return first.error.message;
  return [first.key, Buffer.from(first.value.content).toString(), first.value.last, first.value.forget];
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

test('MessageDecoder gives raw values as they are', t => {
  t.deepEqual(decoded({}, {content: Buffer.from('{"text":1}'), last: true}), ['k', '{"text":1}', true, undefined]);
});

test('MessageDecoder finds text and id in fields', t => {
  t.deepEqual(decoded({format: 'json'}, {content: json({text: 'ab'})}), ['k', 'ab', false, undefined]);
  const options = {textField: 'a.b', idField: 'id'} as const;
  const value = {a: {b: 'ab'}, id: 7};
  t.deepEqual(decoded({format: 'json', ...options}, {content: json(value)}), ['7', 'ab', false, undefined]);
  t.deepEqual(decoded({format: 'msgpack', ...options}, {content: packr.pack(value)}), ['7', 'ab', false, undefined]);
  const large = packr.pack({a: {b: 'ab'}, id: 2n ** 40n});
  t.deepEqual(decoded({format: 'msgpack', ...options}, {content: large}), ['1099511627776', 'ab', false, undefined]);
  const bytes = packr.pack({text: Buffer.from('bytes')});
  t.deepEqual(decoded({format: 'msgpack'}, {content: bytes}), ['k', 'bytes', false, undefined]);
});

test('MessageDecoder needs nothing but the key of a tombstone, and no text of what ends a document', t => {
  t.deepEqual(decoded({format: 'json', idField: 'id'}, {last: true, forget: true}), ['k', '', true, true]);
  t.deepEqual(decoded({format: 'json'}, {last: true}), ['k', '', true, undefined]);
});

test('MessageDecoder makes dead letters of what has no key, no text, or is not what it should be', t => {
  t.is(decoded({}, {key: ''}), 'Cannot decode the record at offset 3 of "in/0" as its key is empty');
  t.regex(String(decoded({format: 'json'}, {content: Buffer.from('{')})), /as it is not JSON/);
  t.regex(String(decoded({format: 'msgpack'}, {content: Buffer.of(0xdc)})), /as it is not MessagePack/);
  const truncated = packr.pack({text: 'long enough'}).subarray(0, 9);
  t.regex(String(decoded({format: 'msgpack'}, {content: truncated})), /not MessagePack|is missing/);
  t.regex(String(decoded({format: 'json'}, {content: json({})})), /its "text" is missing/);
  t.regex(String(decoded({format: 'json'}, {content: json(null)})), /its "text" is missing/);
  t.regex(
    String(decoded({format: 'json'}, {content: json({text: 1})})),
    /its "text" must be a string: current value is a number/,
  );
  t.regex(String(decoded({format: 'json', idField: 'id'}, {content: json({text: ''})})), /its "id" is missing/);
});

test('MessageDecoder refuses formats that it does not know, and fields of raw values', t => {
  t.throws(() => new MessageDecoder({format: 'xml' as 'raw'}), {
    instanceOf: RangeError,
    message: /must be one of raw, json, msgpack/,
  });
  t.throws(() => new MessageDecoder({idField: 'id'}), {instanceOf: RangeError, message: /raw values have no fields/});
  t.throws(() => new MessageDecoder({format: 'json', textField: 'a..b'}), {instanceOf: TypeError});
});
