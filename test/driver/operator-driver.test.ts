import {TransformStream} from 'node:stream/web';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Operator} from '../../pipeline/operator.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {OperatorDriver} from './operator-driver.ts';
import {testRecords} from './test-records.ts';

type Count = {readonly writes: number[]; signal?: AbortSignal};

/** Doubles, fails at 13, commits how many records it has seen, and says `-1` at its end. */
function counting(count: Count): Operator<number, number> {
  return ({signal}) => {
    count.signal = signal;
    let seen = 0;
    return new TransformStream({
      transform(element, controller) {
        if (!(element instanceof Checkpoint)) {
          if (element.value === 13) throw new Error('unlucky');
          seen++;
          return controller.enqueue({...element, value: element.value * 2});
        }
        const snapshot = seen;
        element.onFlush(async () => ['letters', 5n]);
        element.onCommit(async () => void count.writes.push(snapshot));
        controller.enqueue(element);
      },
      flush(controller) {
        controller.enqueue({...(testRecords([-1])[0] as StreamRecord<number>)});
      },
    });
  };
}

const values = (records: readonly StreamRecord<number>[]): number[] => records.map(record => record.value);

test('OperatorDriver shows what comes out of a push, a barrier and the end', async t => {
  const count: Count = {writes: []};
  const driver = new OperatorDriver(counting(count));
  t.deepEqual(values(await driver.push(...testRecords([1, 2]))), [2, 4]);
  t.deepEqual(await driver.barrier(), {
    partitions: new Map([['test', {nextOffset: 2n, ended: false}]]),
    outputs: new Map([['letters', 5n]]),
  });
  t.deepEqual(count.writes, [2]);
  t.deepEqual(values(await driver.push(...testRecords([3], {offset: 2n}))), [6]);
  t.deepEqual((await driver.barrier(new Map())).partitions, new Map());
  t.deepEqual(values(await driver.end()), [-1]);
  t.deepEqual(values(driver.outputs), [2, 4, 6, -1]);
  t.deepEqual(count.writes, [2, 3]);
});

test('OperatorDriver waits for a barrier that takes its time', async t => {
  const driver = new OperatorDriver<number, number>(() => {
    const {readable, writable} = new TransformStream();
    const late = new TransformStream({
      async transform(element, controller) {
        await delay(10);
        controller.enqueue(element);
      },
    });
    return {readable: readable.pipeThrough(late), writable};
  });
  await driver.push(...testRecords([1, 2]));
  await driver.barrier();
  t.deepEqual(values(driver.outputs), [1, 2]);
});

test('OperatorDriver rejects with what the operator failed with', async t => {
  const driver = new OperatorDriver(counting({writes: []}));
  await t.throwsAsync(driver.push(...testRecords([13])), {message: 'unlucky'});
  await t.throwsAsync(driver.barrier(), {message: 'unlucky'});
  await t.throwsAsync(driver.end());
});

test('OperatorDriver says when an operator ends without passing a barrier on', async t => {
  const driver = new OperatorDriver<number, number>(
    () => new TransformStream({transform: (_element, controller) => controller.terminate()}),
  );
  await t.throwsAsync(driver.barrier(), {
    message: 'Cannot commit barrier as the operator ended its output without passing it on',
  });
});

test('OperatorDriver aborts the signal of its operator when told to, and when disposed of', async t => {
  const reason = new Error('enough');
  const count: Count = {writes: []};
  const driver = new OperatorDriver(counting(count));
  await driver.abort(reason);
  t.is(count.signal?.reason, reason);
  await t.throwsAsync(driver.push(...testRecords([1])), {message: 'enough'});
  {
    await using disposed = new OperatorDriver(counting(count));
    await disposed.push(...testRecords([1]));
    t.false(count.signal?.aborted);
  }
  t.true(count.signal?.aborted);
});
