import test from 'ava';
import {DecodeError, PipelineError} from '../../errors.ts';
import {KeyedLinesDecoder, type KeyedLinesDecoderOptions} from '../../operators/keyed-lines-decoder.ts';
import type {Line, PartitionProgress, Progress, StreamRecord} from '../../pipeline/index.ts';
import {described} from './described.ts';
import {lineRecord} from './line-record.ts';

function decode(decoder: KeyedLinesDecoder, record: StreamRecord<Line>): string[] {
  return decoder.decode(record).map(item => ('value' in item ? described([item])[0]! : item.error.message));
}

function progressOf(partition: string, progress: PartitionProgress): Progress {
  return {partitions: new Map([[partition, progress]]), outputs: new Map()};
}

test('KeyedLinesDecoder splits a record into one per column value, lines in order with their terminators', t => {
  const decoder = new KeyedLinesDecoder({idField: 4});
  const lines = 'Jan  1 00:00:01 web1 x: up\nJan  1 00:00:02\tdb1 y: up\r\nJan 1 00:00:03 web1 z';
  t.deepEqual(decode(decoder, lineRecord(lines, {offset: 80n})), [
    'web1@a:80 "Jan  1 00:00:01 web1 x: up\\nJan 1 00:00:03 web1 z"',
    'db1@a:80 "Jan  1 00:00:02\\tdb1 y: up\\r\\n"',
  ]);
});

test('KeyedLinesDecoder splits a record by a JSON field', t => {
  const decoder = new KeyedLinesDecoder({idField: 'host.name'});
  t.deepEqual(decode(decoder, lineRecord('{"host":{"name":"h1"},"n":1}\n{"host":{"name":2}}\n')), [
    'h1@a:0 "{\\"host\\":{\\"name\\":\\"h1\\"},\\"n\\":1}\\n"',
    '2@a:0 "{\\"host\\":{\\"name\\":2}}\\n"',
  ]);
});

test('KeyedLinesDecoder ends every document of a partition with its last record', t => {
  const decoder = new KeyedLinesDecoder({idField: 1});
  decoder.decode(lineRecord('b 1\na 1\n', {offset: 7n}));
  decoder.decode(lineRecord('z 1\n', {partition: 'other', offset: 3n}));
  t.deepEqual(decode(decoder, lineRecord('c 2\na 2\n', {offset: 15n, last: true})), [
    'b@a:15 "" last',
    'a@a:15 "a 2\\n" last',
    'c@a:15 "c 2\\n" last',
  ]);
  t.deepEqual(decode(decoder, lineRecord('', {partition: 'other', offset: 4n, last: true})), ['z@other:4 "" last']);
  t.deepEqual(decode(decoder, lineRecord('', {offset: 16n, last: true})), []);
});

test('KeyedLinesDecoder gives a dead letter for a line without a key and goes on with the next', t => {
  const decoder = new KeyedLinesDecoder({idField: 2});
  const record = lineRecord(Buffer.from('x a\n\n \t\nshort\ny \xff z\nx b \xff', 'latin1'), {offset: 30n});
  const decoded = decoder.decode(record);
  const letters = decoded.filter(item => 'error' in item);
  t.deepEqual(
    letters.map(({error, content}) => [error.message, Buffer.from(content).toString('latin1')]),
    [
      ['Cannot decode line 4 of the record at offset 30 of "a" as its column 2 is missing', 'short\n'],
      ['Cannot decode line 5 of the record at offset 30 of "a" as its column 2 is not well-formed UTF-8', 'y \xff z\n'],
    ],
  );
  t.true(letters.every(({error}) => error instanceof DecodeError));
  t.deepEqual(described(decoded.filter(item => 'value' in item)), ['a@a:30 "x a\\n"', 'b@a:30 "x b \uFFFD"']);
});

test('KeyedLinesDecoder gives a dead letter for a line that is not JSON when keyed by a field', t => {
  const decoder = new KeyedLinesDecoder({idField: 'host'});
  const [letter, record, ...rest] = decode(decoder, lineRecord('{"host":\n{"host":"h"}\n'));
  t.regex(letter!, /^Cannot decode line 1 of the record at offset 0 of "a" as it is not JSON: /);
  t.is(record, 'h@a:0 "{\\"host\\":\\"h\\"}\\n"');
  t.deepEqual(rest, []);
});

test('KeyedLinesDecoder gives a dead letter for a cut record and still ends the documents', t => {
  const decoder = new KeyedLinesDecoder({idField: 1});
  decoder.decode(lineRecord('a 1\n', {offset: 3n}));
  const [letter, ...records] = decode(decoder, lineRecord('b 2', {offset: 6n, last: true, cut: true}));
  t.regex(letter!, /^Cannot decode the record at offset 6 of "a" as its line is longer/);
  t.deepEqual(records, ['a@a:6 "" last']);
});

test('KeyedLinesDecoder resumed after any record goes on as if it had not stopped', t => {
  const records = [
    lineRecord('b 1\nbad\na 1\n', {offset: 11n}),
    lineRecord('c 2\na 2\n', {offset: 19n}),
    lineRecord('bad\n', {offset: 23n}),
    lineRecord('d 3\n', {offset: 27n, last: true}),
  ];
  const options: KeyedLinesDecoderOptions = {idField: 2};
  const whole = new KeyedLinesDecoder(options);
  const expected = records.map(record => decode(whole, record));
  t.is(expected[3]!.length, 3);
  for (let covered = 0; covered < records.length; covered++) {
    const nextOffset = covered === 0 ? 0n : records[covered - 1]!.position.offset + 1n;
    const resumed = new KeyedLinesDecoder({...options, progress: progressOf('a', {nextOffset, ended: false})});
    const decoded = records.map(record => decode(resumed, record));
    t.deepEqual(decoded, [...records.slice(0, covered).map(() => []), ...expected.slice(covered)]);
  }
});

test('KeyedLinesDecoder takes the record at the next offset as not covered', t => {
  const decoder = new KeyedLinesDecoder({idField: 1, progress: progressOf('a', {nextOffset: 5n, ended: false})});
  t.deepEqual(decode(decoder, lineRecord('x\n', {offset: 4n})), []);
  t.deepEqual(decode(decoder, lineRecord('y', {offset: 5n})), ['y@a:5 "y"']);
});

test('KeyedLinesDecoder covers only the partition that the progress names', t => {
  const decoder = new KeyedLinesDecoder({idField: 1, progress: progressOf('b', {nextOffset: 100n, ended: false})});
  t.deepEqual(decode(decoder, lineRecord('x\n', {offset: 1n})), ['x@a:1 "x\\n"']);
});

test('KeyedLinesDecoder refuses more open documents than it may keep and lets go of ended ones', t => {
  const decoder = new KeyedLinesDecoder({idField: 1, maxKeys: 2});
  decoder.decode(lineRecord('x\ny\n', {last: true}));
  decoder.decode(lineRecord('p\n'));
  decoder.decode(lineRecord('q\n', {partition: 'b'}));
  t.throws(() => decoder.decode(lineRecord('p\nr\n')), {
    instanceOf: PipelineError,
    message:
      /^Cannot start document "r" of "a" as at most 2 may be open at once: choose an id field with fewer values; in code, raise maxKeys$/,
  });
});

test('KeyedLinesDecoder refuses invalid options', t => {
  for (const idField of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => new KeyedLinesDecoder({idField}), {
      instanceOf: RangeError,
      message: /a column must be a positive integer/,
    });
  }
  t.throws(() => new KeyedLinesDecoder({idField: 'a.'}), {instanceOf: TypeError});
  for (const maxKeys of [0, 1.5]) {
    t.throws(() => new KeyedLinesDecoder({idField: 1, maxKeys}), {instanceOf: RangeError, message: /maxKeys/});
  }
});
