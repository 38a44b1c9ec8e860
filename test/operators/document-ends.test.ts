import test from 'ava';
import {DocumentEnds} from '../../operators/document-ends.ts';
import {Checkpoint, type DeadLetter, type DocumentChunk, type StreamRecord} from '../../pipeline/index.ts';
import {lineRecord} from './line-record.ts';

function record(key: string, options: {partition?: string; length?: number} = {}): StreamRecord<DocumentChunk> {
  return {...lineRecord(new Uint8Array(options.length ?? 0), options), key};
}

function letter(length: number): DeadLetter {
  const {key, position, timestamp} = lineRecord('');
  return {key, position, timestamp, content: new Uint8Array(length), error: new Error('Bad')};
}

function taken(ends: DocumentEnds): string[] {
  return Array.from(ends.take(), element => {
    if (element instanceof Checkpoint) return '|';
    return 'value' in element ? `${element.key}${element.value.last ? ' last' : ''}` : '!';
  });
}

test('DocumentEnds holds the latest record of a partition and all behind it', t => {
  const ends = new DocumentEnds();
  ends.push(record('x'));
  ends.push(letter(1));
  ends.push(new Checkpoint(new Map()));
  ends.push(record('u', {partition: 'b'}));
  t.deepEqual(taken(ends), []);
  ends.push(record('y'));
  t.deepEqual(taken(ends), ['x last', '!', '|']);
  ends.end('b');
  t.deepEqual(taken(ends), ['u last']);
  ends.end('a');
  t.deepEqual(taken(ends), ['y last']);
  ends.push(letter(1));
  t.deepEqual(taken(ends), ['!']);
});

test('DocumentEnds passes on a record unchanged, or with `last` and nothing else changed', t => {
  const ends = new DocumentEnds();
  const first = record('x', {length: 3});
  const second = record('x', {length: 4});
  ends.push(first);
  ends.push(second);
  ends.endAll();
  const [one, two] = ends.take();
  t.is(one, first);
  t.deepEqual(two, {...second, value: {...second.value, last: true}});
});

test('DocumentEnds counts a document as ended when more waits behind its record than may', t => {
  const ends = new DocumentEnds({waitingBytes: 3000});
  ends.push(record('x', {length: 1_000_000}));
  ends.push(letter(1000));
  ends.push(letter(1000));
  t.deepEqual(taken(ends), []);
  ends.push(letter(1000));
  t.deepEqual(taken(ends), ['x last', '!', '!', '!']);
  ends.push(record('x'));
  ends.push(record('x'));
  t.deepEqual(taken(ends), ['x']);
});

test('DocumentEnds counts what still waits after some of it has left', t => {
  const ends = new DocumentEnds({waitingBytes: 3000});
  for (let round = 0; round < 20; round++) {
    ends.push(record('x', {length: 1000}));
    ends.push(record('u', {partition: 'b', length: 1000}));
    t.deepEqual(taken(ends), round === 0 ? [] : ['x', 'u']);
  }
  ends.push(letter(800));
  t.deepEqual(taken(ends), []);
  ends.push(letter(800));
  t.deepEqual(taken(ends), ['x last']);
  ends.endAll();
  t.deepEqual(taken(ends), ['u last', '!', '!']);
});
