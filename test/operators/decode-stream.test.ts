import test from 'ava';
import {DecodeError} from '../../errors.ts';
import {DecodeStream} from '../../operators/decode-stream.ts';
import {JsonLinesDecoder} from '../../operators/json-lines-decoder.ts';
import {KeyedLinesDecoder} from '../../operators/keyed-lines-decoder.ts';
import {
  Checkpoint,
  type DocumentChunk,
  type Element,
  type PartitionProgress,
  type StreamRecord,
} from '../../pipeline/index.ts';
import {described} from './described.ts';
import {LetterList} from './letter-list.ts';
import {lineRecord} from './line-record.ts';
import {seededRandom} from './seeded-random.ts';
import {through} from './through.ts';

type Script = readonly string[];

/**
 * What a source emits for a script, from where a run had got to: `a:x` is a line of partition a with id x, `a:!` one that
 * is not JSON, `a:_` a blank one, and `|` a barrier if anything moved since the last.
 */
function* source(script: Script, from: ReadonlyMap<string, PartitionProgress> = new Map()) {
  const moved = new Map<string, PartitionProgress>();
  const counts = new Map<string, bigint>();
  for (const [index, step] of script.entries()) {
    if (step === '|') {
      if (moved.size > 0) yield new Checkpoint(new Map(moved));
      moved.clear();
      continue;
    }
    const [partition, id] = step.split(':') as [string, string];
    const offset = counts.get(partition) ?? 0n;
    counts.set(partition, offset + 1n);
    if (offset < (from.get(partition)?.nextOffset ?? 0n)) continue;
    const last = !script.slice(index + 1).some(later => later.startsWith(`${partition}:`));
    const content = id === '!' ? `bad ${offset}` : id === '_' ? '' : JSON.stringify({id, text: `${offset}`});
    moved.set(partition, {nextOffset: offset + 1n, ended: last});
    yield lineRecord(content, {partition, offset, last});
  }
}

async function run(script: Script, from?: ReadonlyMap<string, PartitionProgress>) {
  const deadLetters = new LetterList();
  const stream = new DecodeStream(new JsonLinesDecoder(), {deadLetters});
  const elements = await through(stream, source(script, from));
  return {elements, letters: deadLetters.letters.map(({content}) => Buffer.from(content).toString())};
}

async function outcome(script: string) {
  return described((await run(script.split(' '))).elements);
}

test('DecodeStream marks the last record before another id, and at the end of a partition', async t => {
  t.deepEqual(await outcome('a:x a:x a:y a:x'), ['x@a:0 "0"', 'x@a:1 "1" last', 'y@a:2 "2" last', 'x@a:3 "3" last']);
});

test('DecodeStream marks the last record though undecodable and blank lines follow', async t => {
  t.deepEqual(await outcome('a:x a:! a:x a:! a:_ a:y a:! a:!'), ['x@a:0 "0"', 'x@a:2 "2" last', 'y@a:5 "5" last']);
});

test('DecodeStream keeps ends of partitions apart', async t => {
  t.deepEqual(await outcome('a:x b:x a:x b:y a:z b:y'), [
    'x@a:0 "0"',
    'x@b:0 "0" last',
    'x@a:1 "1" last',
    'y@b:1 "1"',
    'z@a:2 "2" last',
    'y@b:2 "2" last',
  ]);
});

test('DecodeStream ends a document with its partition though the partition comes again with the same id', async t => {
  const content = '{"id": "x", "text": ""}';
  const lines = [
    lineRecord(content, {last: true}),
    lineRecord(content, {offset: 1n}),
    lineRecord('', {offset: 2n, last: true}),
  ];
  t.deepEqual(
    described(await through(new DecodeStream(new JsonLinesDecoder()), [...lines, lineRecord(content, {offset: 3n})])),
    ['x@a:0 "" last', 'x@a:1 "" last', 'x@a:3 "" last'],
  );
});

test('DecodeStream lets no element pass a barrier that waits behind a held record', async t => {
  t.deepEqual(await outcome('a:x b:u | b:u | a:x b:u |'), [
    'x@a:0 "0"',
    'u@b:0 "0"',
    '| a:1 b:1',
    'u@b:1 "1"',
    '| b:2',
    'x@a:1 "1" last',
    'u@b:2 "2" last',
    '| a:2 b:3',
  ]);
});

test('DecodeStream holds a record back only until the next line shows whether its document goes on', async t => {
  const stream = new DecodeStream(new JsonLinesDecoder());
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const [first, barrier, second] = source(['a:x', '|', 'a:x', 'a:y']) as Iterable<Element<StreamRecord<DocumentChunk>>>;
  let arrived = 0;
  const reading = (async () => {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      if (value !== undefined) arrived++;
    }
  })();
  await writer.write(first!);
  await writer.write(barrier!);
  t.is(arrived, 0);
  await writer.write(second!);
  t.is(arrived, 2);
  await writer.close();
  await reading;
  t.is(arrived, 3);
});

test('DecodeStream ends the held documents when the stream ends before their partitions', async t => {
  const lines = [...source(['a:x', 'b:y', '|', 'a:x', 'b:y'])].slice(0, 3);
  const elements = await through(new DecodeStream(new JsonLinesDecoder()), lines);
  t.deepEqual(described(elements), ['x@a:0 "0" last', 'y@b:0 "0" last', '| a:1 b:1']);
});

test('DecodeStream resumed from any barrier gives what an uninterrupted run gives', async t => {
  const random = seededRandom(1);
  let barriers = 0;
  for (let round = 0; round < 60; round++) {
    const script: string[] = [];
    for (let length = 1 + Math.floor(random() * 25); length > 0; length--) {
      const id = random() < 0.25 ? '!' : random() < 0.1 ? '_' : random() < 0.7 ? 'x' : 'y';
      script.push(random() < 0.25 ? '|' : `${'abc'[Math.floor(random() * 3)]}:${id}`);
    }
    script.push('|');
    const whole = await run(script);
    t.is(whole.letters.length, script.filter(step => step.endsWith('!')).length);

    const progress = new Map<string, PartitionProgress>();
    for (const [index, element] of whole.elements.entries()) {
      if (!(element instanceof Checkpoint)) continue;
      barriers++;
      for (const [partition, moved] of element.partitions) progress.set(partition, moved);
      let durable = 0;
      element.onCommit(async ({outputs}) => {
        durable = Number(outputs.get('letters'));
      });
      await element.commit();
      const resumed = await run(script, progress);
      const elements = [...whole.elements.slice(0, index + 1), ...resumed.elements];
      t.deepEqual(described(elements), described(whole.elements), script.join(' '));
      t.deepEqual([...whole.letters.slice(0, durable), ...resumed.letters], whole.letters, script.join(' '));
    }
  }
  t.true(barriers > 100);
});

test('DecodeStream flushes dead letters as a barrier passes and before memories are written', async t => {
  const order: string[] = [];
  const deadLetters = new (class extends LetterList {
    override async add(letter: Parameters<LetterList['add']>[0]) {
      await super.add(letter);
      order.push('letter');
    }
    override async flush() {
      order.push('flush');
      return super.flush();
    }
  })();
  const elements = await through(new DecodeStream(new JsonLinesDecoder(), {deadLetters}), source(['a:!', '|', 'a:!']));
  t.deepEqual(order, ['letter', 'flush', 'letter']);
  const barrier = elements[0] as Checkpoint;
  barrier.onCommit(async ({outputs}) => {
    t.deepEqual([...outputs], [['letters', 1n]]);
  });
  await barrier.commit();
  t.plan(2);
});

test('DecodeStream ends the run at an undecodable record when there are no dead letters', async t => {
  const stream = new DecodeStream(new JsonLinesDecoder());
  await t.throwsAsync(through(stream, source(['a:x', 'a:!', 'a:x'])), {
    instanceOf: DecodeError,
    message: /^Cannot decode the record at offset 1 of "a" as it is not JSON/,
  });
});

test('DecodeStream ends the run when a dead letter cannot be kept', async t => {
  const deadLetters = new LetterList();
  deadLetters.add = async () => {
    throw new Error('Disk full');
  };
  const stream = new DecodeStream(new JsonLinesDecoder(), {deadLetters});
  await t.throwsAsync(through(stream, source(['a:!', 'a:x'])), {message: 'Disk full'});
});

test('DecodeStream holds nothing back when documents are not contiguous', async t => {
  const deadLetters = new LetterList();
  const stream = new DecodeStream(new KeyedLinesDecoder({idField: 2}), {deadLetters});
  const elements = [
    lineRecord('1 x\n1 y\nbad\n', {offset: 11n}),
    new Checkpoint(new Map([['a', {nextOffset: 12n, ended: false}]])),
    lineRecord('2 y\n', {offset: 15n, last: true}),
    new Checkpoint(new Map([['a', {nextOffset: 16n, ended: true}]])),
  ];
  t.deepEqual(described(await through(stream, elements)), [
    'x@a:11 "1 x\\n"',
    'y@a:11 "1 y\\n"',
    '| a:12',
    'x@a:15 "" last',
    'y@a:15 "2 y\\n" last',
    '| a:16',
  ]);
  t.is(deadLetters.letters.length, 1);
});
