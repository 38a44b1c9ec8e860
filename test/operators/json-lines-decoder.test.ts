import test from 'ava';
import {DecodeError} from '../../errors.ts';
import {JsonLinesDecoder} from '../../operators/json-lines-decoder.ts';
import type {DeadLetter} from '../../pipeline/index.ts';
import {described} from './described.ts';
import {lineRecord} from './line-record.ts';

function decodeOne(line: string | Uint8Array, options: ConstructorParameters<typeof JsonLinesDecoder>[0] = {}) {
  const decoded = new JsonLinesDecoder(options).decode(lineRecord(line, {offset: 41n}));
  return decoded.map(item => ('value' in item ? described([item])[0] : item.error.message));
}

test('JsonLinesDecoder gives the text of a line as a chunk of the document with its id', t => {
  t.deepEqual(decodeOne('{"id": "d1", "text": "Zürich \\u20ac"}'), ['d1@a:41 "Zürich €"']);
  t.deepEqual(decodeOne('\uFEFF{"id": 7, "text": ""}\r'), ['7@a:41 ""']);
  const [decoded] = new JsonLinesDecoder().decode(lineRecord('{"id": "d1", "text": "x"}'));
  t.is((decoded as DeadLetter).timestamp, 1_700_000_000_000);
});

test('JsonLinesDecoder reads fields by dotted path, a field with dots in its name first', t => {
  const options = {idField: 'meta.id', textField: 'body.0.text'};
  t.deepEqual(decodeOne('{"meta": {"id": "n"}, "body": [{"text": "t"}]}', options), ['n@a:41 "t"']);
  t.deepEqual(decodeOne('{"meta.id": "whole", "meta": {"id": "n"}, "body": [{"text": "t"}]}', options), [
    'whole@a:41 "t"',
  ]);
  t.deepEqual(decodeOne('{"id": "d", "text": "t"}', {idField: 'constructor'}), [
    'Cannot decode the record at offset 41 of "a" as its "constructor" is missing',
  ]);
});

test('JsonLinesDecoder passes over blank lines', t => {
  t.deepEqual(decodeOne(''), []);
  t.deepEqual(decodeOne(' \t\r'), []);
});

const undecodable: readonly [name: string, line: string | Uint8Array, reason: RegExp][] = [
  ['is not JSON', '{"id": "d1", "text"', /it is not JSON: .+/],
  ['is not an object', '"text"', /its "id" is missing$/],
  ['is null', 'null', /its "id" is missing$/],
  ['has no id', '{"text": "x"}', /its "id" is missing$/],
  ['has an empty id', '{"id": "", "text": "x"}', /its "id" is empty$/],
  [
    'has an object for an id',
    '{"id": {"a": 1}, "text": "x"}',
    /its "id" must be a string or a number: current value is an object$/,
  ],
  [
    'has an id nested deeper than a stack',
    `{"id": ${'['.repeat(20_000)}${']'.repeat(20_000)}, "text": "x"}`,
    /current value is an array$/,
  ],
  ['has a boolean for an id', '{"id": true, "text": "x"}', /must be a string or a number: current value is true$/],
  ['has an id that loses digits', '{"id": 9007199254740993, "text": "x"}', /loses digits/],
  ['has an infinite id', '{"id": 1e999, "text": "x"}', /loses digits/],
  [
    'has an id with half a surrogate pair',
    '{"id": "a\\ud83d", "text": "x"}',
    /half a surrogate pair: current value is "a\\ud83d"$/,
  ],
  ['has no text', '{"id": "d1"}', /its "text" is missing$/],
  ['has null for a text', '{"id": "d1", "text": null}', /its "text" is missing$/],
  ['has a number for a text', '{"id": "d1", "text": 5}', /its "text" must be a string: current value is a number$/],
  ['is ill-formed UTF-8', Buffer.from('{"id": "d1", "text": "\xff"}', 'latin1'), /it is not well-formed UTF-8$/],
];
for (const [name, line, reason] of undecodable) {
  test(`JsonLinesDecoder gives a dead letter when a line ${name}`, t => {
    const record = lineRecord(line, {partition: 'dir/b.jsonl', offset: 99n});
    const [letter, ...rest] = new JsonLinesDecoder().decode(record) as DeadLetter[];
    t.deepEqual(rest, []);
    t.true(letter?.error instanceof DecodeError);
    t.regex(letter!.error.message, /^Cannot decode the record at offset 99 of "dir\/b\.jsonl" as /);
    t.regex(letter!.error.message, reason);
    t.deepEqual(
      {key: letter!.key, position: letter!.position, timestamp: letter!.timestamp, content: letter!.content},
      {key: record.key, position: record.position, timestamp: record.timestamp, content: record.value.content},
    );
  });
}

test('JsonLinesDecoder gives a dead letter when a line was cut, though what is left of it is JSON', t => {
  const [letter] = new JsonLinesDecoder().decode(lineRecord('{"id": "d1", "text": "x"}', {cut: true})) as DeadLetter[];
  t.regex(letter!.error.message, /as its line is longer than a line may be/);
});

test('JsonLinesDecoder tells whole pairs of surrogates from halves', t => {
  t.deepEqual(decodeOne('{"id": "\\ud83d\\ude00", "text": "\\ud83d"}'), ['😀@a:41 "\uFFFD"']);
});

test('JsonLinesDecoder refuses field paths with empty steps', t => {
  for (const path of ['', '.', 'a.', 'a..b']) {
    t.throws(() => new JsonLinesDecoder({idField: path}), {
      instanceOf: TypeError,
      message: /empty steps: current value is/,
    });
    t.throws(() => new JsonLinesDecoder({textField: path}), {instanceOf: TypeError});
  }
});
