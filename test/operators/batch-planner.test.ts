import test from 'ava';
import {BatchPlanner} from '../../operators/batch-planner.ts';
import {OpenDocument} from '../../operators/open-document.ts';
import type {SegmentTask} from '../../operators/segment-task.ts';
import {ToyModel} from '../integration/toy-model.ts';

function task(document: OpenDocument, tokens = 4): SegmentTask {
  return {
    document,
    memory: document.id,
    fork: false,
    tokens: {ids: new Int32Array(tokens), byteLengths: new Int32Array(tokens)},
    position: {partition: 'p', offset: 0n},
    timestamp: 0,
    tail: false,
    final: false,
    partial: false,
    since: performance.now(),
  };
}

function documents(names: string): OpenDocument[] {
  return [...names].map(name => new OpenDocument(name, new ToyModel()));
}

function names(tasks: readonly SegmentTask[]): string {
  return tasks.map(({document}) => document.id).join('');
}

test('BatchPlanner takes at most one segment of a document, in the order in which documents came', t => {
  const planner = new BatchPlanner({batch: 3, bufferedTokens: 1000});
  const [a, b] = documents('ab') as [OpenDocument, OpenDocument];
  for (const document of [a, a, b]) planner.add(task(document));
  t.false(planner.due);
  t.is(names(planner.take()), 'ab');
  t.is(names(planner.take()), 'a');
  t.is(names(planner.take()), '');
});

test('BatchPlanner is due when a batch is full or too many tokens wait', t => {
  const planner = new BatchPlanner({batch: 2, bufferedTokens: 10});
  const [a, b] = documents('ab') as [OpenDocument, OpenDocument];
  for (let segment = 0; segment < 2; segment++) planner.add(task(a));
  t.false(planner.due);
  planner.add(task(a));
  t.true(planner.due);
  planner.take();
  t.false(planner.due);
  planner.add(task(b));
  t.true(planner.due);
});

test('BatchPlanner keeps documents together for four batches, then lets those that wait have their turn', t => {
  const planner = new BatchPlanner({batch: 2, bufferedTokens: 1000});
  for (const document of documents('abc')) for (let segment = 0; segment < 8; segment++) planner.add(task(document));
  const batches = Array.from({length: 12}, () => names(planner.take()));
  t.deepEqual(batches, ['ab', 'ab', 'ab', 'ab', 'ca', 'ca', 'ca', 'ca', 'bc', 'bc', 'bc', 'bc']);
});

test('BatchPlanner lets no long document starve a short one', t => {
  const planner = new BatchPlanner({batch: 1, bufferedTokens: 1_000_000});
  const [long, short] = documents('ls') as [OpenDocument, OpenDocument];
  for (let segment = 0; segment < 1000; segment++) planner.add(task(long));
  t.is(names(planner.take()), 'l');
  planner.add(task(short));
  const batches = Array.from({length: 5}, () => names(planner.take())).join('');
  t.true(batches.includes('s'), batches);
});

test('BatchPlanner says since when the oldest segment waits that could have its turn', async t => {
  const planner = new BatchPlanner({batch: 2, bufferedTokens: 1000});
  t.is(planner.waitingSince, undefined);
  const [a, b] = documents('ab') as [OpenDocument, OpenDocument];
  const before = performance.now();
  planner.add(task(a));
  const since = planner.waitingSince!;
  t.true(since >= before && since <= performance.now());
  await new Promise(resolve => setTimeout(resolve, 5));
  planner.add(task(b));
  t.is(planner.waitingSince, since);
  planner.take();
  t.is(planner.waitingSince, undefined);
});
