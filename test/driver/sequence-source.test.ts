import test from 'ava';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Progress} from '../../pipeline/progress.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {CHECKPOINT, FAIL, PAUSE, SequenceSource} from './sequence-source.ts';
import {testRecords} from './test-records.ts';

type Elements = Element<StreamRecord<string>>;

function show(element: Elements): string {
  if (!(element instanceof Checkpoint)) return element.value;
  return `--${[...element.partitions].map(([name, {nextOffset, ended}]) => ` ${name} ${nextOffset} ${ended}`)}`;
}

const [a, b, c] = testRecords(['a', 'b', 'c']) as [StreamRecord<string>, StreamRecord<string>, StreamRecord<string>];
const [other] = testRecords(['x'], {partition: 'other', offset: 9n}) as [StreamRecord<string>];

async function read(source: SequenceSource<string>, progress?: Progress): Promise<string[]> {
  const shown: string[] = [];
  for await (const element of source.open(progress && {progress})) shown.push(show(element));
  return shown;
}

test('SequenceSource gives out its records, a barrier at each CHECKPOINT and one at the end', async t => {
  const source = new SequenceSource([a, other, CHECKPOINT, b, CHECKPOINT, CHECKPOINT, c]);
  const expected = ['a', 'x', '-- test 1 false, other 10 false', 'b', '-- test 2 false', 'c'];
  t.deepEqual(await read(source), [...expected, '-- test 3 true, other 10 true']);
  t.is(source.emitted, 4);
});

test('SequenceSource goes on behind what progress covers', async t => {
  const partitions = new Map([['test', {nextOffset: 2n, ended: false}]]);
  const shown = await read(new SequenceSource([a, CHECKPOINT, b, c]), {partitions, outputs: new Map()});
  t.deepEqual(shown, ['c', '-- test 3 true']);
});

test('SequenceSource fails at FAIL, the first time only', async t => {
  const error = new Error('failed');
  const source = new SequenceSource([a, FAIL(error), b]);
  t.is(await t.throwsAsync(read(source)), error);
  t.deepEqual(await read(source), ['a', 'b', '-- test 2 true']);
});

test('SequenceSource waits at PAUSE until it is resumed', async t => {
  const source = new SequenceSource([a, PAUSE, b]);
  const reader = source.open().getReader();
  await reader.read();
  let arrived = false;
  const next = reader.read().then(({value}) => {
    arrived = true;
    return value;
  });
  await new Promise(resolve => setTimeout(resolve, 10));
  t.false(arrived);
  source.resume();
  t.is(await next, b);
});

test('SequenceSource tells why it was cancelled or aborted, even at PAUSE', async t => {
  for (const end of ['cancel', 'abort'] as const) {
    const source = new SequenceSource([PAUSE, a]);
    const controller = new AbortController();
    const reader = source.open({signal: controller.signal}).getReader();
    const reading = reader.read().catch(error => error);
    const reason = new Error('enough');
    if (end === 'cancel') await reader.cancel(reason);
    else controller.abort(reason);
    t.deepEqual(await reading, end === 'cancel' ? {value: undefined, done: true} : reason);
    t.is(source.cancelReason, reason);
    t.is(source.emitted, 0);
  }
});
