import {ReadableStream, TransformStream} from 'node:stream/web';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Operator} from '../../pipeline/operator.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {CollectSink} from '../driver/collect-sink.ts';
import {CHECKPOINT, FAIL, PAUSE, SequenceSource} from '../driver/sequence-source.ts';
import {testRecords} from '../driver/test-records.ts';

type Elements<T> = Element<StreamRecord<T>>;

function map<I, O>(change: (value: I) => O | Promise<O>): Operator<I, O> {
  return () =>
    new TransformStream<Elements<I>, Elements<O>>({
      async transform(element, controller) {
        if (element instanceof Checkpoint) controller.enqueue(element);
        else controller.enqueue({...element, value: await change(element.value)});
      },
    });
}

const double = map((value: number) => value * 2);
const show = map((value: number) => `${value}`);

test('Pipeline carries records through its operators into the sink', async t => {
  const sink = new CollectSink<string>();
  await Pipeline.from(new SequenceSource(testRecords([1, 2, 3])))
    .through(double)
    .through(show)
    .to(sink);
  t.deepEqual(sink.values, ['2', '4', '6']);
  t.true(sink.closed);
  t.deepEqual(
    sink.commits.map(commit => [...commit.partitions]),
    [[['test', {nextOffset: 3n, ended: true}]]],
  );
});

test('Pipeline runs without operators', async t => {
  const sink = new CollectSink<number>();
  await Pipeline.from(new SequenceSource(testRecords([1, 2]))).to(sink);
  t.deepEqual(sink.values, [1, 2]);
});

test('Pipeline can be run again, and through() leaves it as it was', async t => {
  const plain = Pipeline.from(new SequenceSource(testRecords([1, 2])));
  const doubled = plain.through(double);
  for (const [pipeline, expected] of [
    [plain, [1, 2]],
    [doubled, [2, 4]],
    [doubled, [2, 4]],
    [plain, [1, 2]],
  ] as const) {
    const sink = new CollectSink<number>();
    await pipeline.to(sink);
    t.deepEqual(sink.values, [...expected]);
  }
});

test('Pipeline commits outputs first, then writes, and no record overtakes a barrier', async t => {
  const events: string[] = [];
  const [a, b] = testRecords(['a', 'b']) as [StreamRecord<string>, StreamRecord<string>];
  const stateful: Operator<string, string> = () =>
    new TransformStream<Elements<string>, Elements<string>>({
      transform(element, controller) {
        if (element instanceof Checkpoint) {
          element.onCommit(async progress => {
            events.push(`write ${[...progress.outputs]} with ${sink.values.length} out`);
          });
          element.onFlush(async () => {
            events.push('flush');
            return undefined;
          });
        } else {
          events.push(element.value);
        }
        controller.enqueue(element);
      },
    });
  const sink = new CollectSink<string>();
  await Pipeline.from(new SequenceSource([a, CHECKPOINT, b]))
    .through(stateful)
    .to(sink);
  t.deepEqual(
    events.filter(event => event !== 'b'),
    ['a', 'flush', 'write collect,1 with 1 out', 'flush', 'write collect,2 with 2 out'],
  );
});

const error = new Error('the cause');
const [first, second, third] = testRecords([1, 2, 3]) as [
  StreamRecord<number>,
  StreamRecord<number>,
  StreamRecord<number>,
];
const failing = map((value: number) => {
  if (value === 2) throw error;
  return value;
});

for (const operators of [0, 1, 2]) {
  const behind = (pipeline: Pipeline<number>): Pipeline<number> =>
    operators === 0 ? pipeline : operators === 1 ? pipeline.through(double) : pipeline.through(double).through(double);

  test(`Pipeline rejects with the source's own error behind ${operators} operators`, async t => {
    const sink = new CollectSink<number>();
    const run = behind(Pipeline.from(new SequenceSource([first, FAIL(error), second]))).to(sink);
    t.is(await t.throwsAsync(run), error);
    t.is(sink.abortReason, error);
    t.false(sink.closed);
    t.is(sink.values.length, 1);
  });

  test(`Pipeline rejects with the sink's own error behind ${operators} operators`, async t => {
    const source = new SequenceSource(testRecords(Array.from({length: 100}, (_, index) => index)));
    const run = behind(Pipeline.from(source)).to(new CollectSink({fail: {write: 2, error}}));
    t.is(await t.throwsAsync(run), error);
    t.is(source.cancelReason, error);
    t.true(source.emitted < 20);
  });

  test(`Pipeline rejects with an operator's own error before ${operators} operators`, async t => {
    const source = new SequenceSource(testRecords(Array.from({length: 100}, (_, index) => index)));
    const sink = new CollectSink<number>();
    t.is(await t.throwsAsync(behind(Pipeline.from(source).through(failing)).to(sink)), error);
    t.is(source.cancelReason, error);
    t.is(sink.abortReason, error);
  });

  test(`Pipeline rejects with an operator's own error behind ${operators} operators`, async t => {
    const source = new SequenceSource(testRecords([1, 2, 3, 4]));
    const wrapped = map((value: number) => {
      if (value >= 2) throw error;
      return value;
    });
    t.is(await t.throwsAsync(behind(Pipeline.from(source)).through(wrapped).to(new CollectSink())), error);
    t.is(source.cancelReason, error);
  });

  test(`Pipeline is aborted with the signal's reason behind ${operators} operators`, async t => {
    const source = new SequenceSource([first, PAUSE, second]);
    const sink = new CollectSink<number>();
    const controller = new AbortController();
    const run = behind(Pipeline.from(source)).to(sink, {signal: controller.signal});
    await delay(20);
    t.is(sink.values.length, 1);
    controller.abort(error);
    t.is(await t.throwsAsync(run), error);
    t.is(source.cancelReason, error);
    t.is(sink.abortReason, error);
    t.is(sink.values.length, 1);
  });
}

test('Pipeline aborts the signal of its operators when another stage fails', async t => {
  const seen: unknown[] = [];
  const listening: Operator<number, number> = ({signal}) => {
    signal.addEventListener('abort', () => seen.push(signal.reason));
    return new TransformStream<Elements<number>, Elements<number>>();
  };
  await t.throwsAsync(
    Pipeline.from(new SequenceSource(testRecords([1, 2, 3])))
      .through(listening)
      .through(failing)
      .through(listening)
      .to(new CollectSink()),
  );
  t.deepEqual(seen, [error, error]);
});

test('Pipeline does not abort the signal of its operators when all goes well', async t => {
  let signal: AbortSignal | undefined;
  await Pipeline.from(new SequenceSource([first]))
    .through<number>(context => {
      signal = context.signal;
      return new TransformStream();
    })
    .to(new CollectSink());
  t.false(signal?.aborted);
});

test('Pipeline rejects at once and opens nothing when the signal is already aborted', async t => {
  const source = new SequenceSource([first]);
  const run = Pipeline.from(source).to(new CollectSink(), {signal: AbortSignal.abort(error)});
  t.is(await t.throwsAsync(run), error);
  t.is(source.emitted, 0);
  t.is(source.cancelReason, undefined);
});

test('Pipeline cancels a source that does not listen to its signal', async t => {
  let cancelled: unknown;
  const source = new SequenceSource<number>([]);
  source.open = () =>
    new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel: reason => {
        cancelled = reason;
      },
    });
  const sink = new CollectSink<number>();
  const controller = new AbortController();
  const run = Pipeline.from(source).through(double).to(sink, {signal: controller.signal});
  await delay(10);
  controller.abort(error);
  t.is(await t.throwsAsync(run), error);
  t.is(cancelled, error);
  t.is(sink.abortReason, error);
});

test('Pipeline does not wait for ever for a write that hangs when it is aborted', async t => {
  const sink = new CollectSink<number>();
  sink.stall();
  const controller = new AbortController();
  const run = Pipeline.from(new SequenceSource([first, second, third])).to(sink, {
    signal: controller.signal,
    graceMs: 50,
  });
  await delay(10);
  const before = performance.now();
  controller.abort(error);
  t.is(await t.throwsAsync(run), error);
  const waited = performance.now() - before;
  t.true(waited >= 45 && waited < 2000, `${waited}`);
});

test('Pipeline waits for a write in flight when it is aborted', async t => {
  const sink = new CollectSink<number>();
  sink.stall();
  const controller = new AbortController();
  const run = Pipeline.from(new SequenceSource([first, second])).to(sink, {signal: controller.signal});
  const rejected = t.throwsAsync(run);
  await delay(10);
  controller.abort(error);
  await delay(10);
  t.is(sink.values.length, 0);
  sink.release();
  t.is(await rejected, error);
  t.is(sink.values.length, 1);
});

test('Pipeline releases the source when the sink or an operator cannot be made', async t => {
  const noOperator: Operator<number, number> = () => {
    throw error;
  };
  const noSink = new CollectSink<number>();
  noSink.open = () => {
    throw error;
  };
  for (const run of [
    (source: SequenceSource<number>) => Pipeline.from(source).through(noOperator).to(new CollectSink()),
    (source: SequenceSource<number>) => Pipeline.from(source).through(double).through(noOperator).to(new CollectSink()),
    (source: SequenceSource<number>) => Pipeline.from(source).to(noSink),
    (source: SequenceSource<number>) => Pipeline.from(source).through(double).to(noSink),
  ]) {
    const source = new SequenceSource(testRecords([1, 2, 3]));
    t.is(await t.throwsAsync(run(source)), error);
    t.is(source.cancelReason, error);
  }
});

test('Pipeline rejects with the error of a source that cannot be opened', async t => {
  const source = new SequenceSource([first]);
  source.open = () => {
    throw error;
  };
  t.is(await t.throwsAsync(Pipeline.from(source).to(new CollectSink())), error);
});

for (const [operators, expected] of [
  [0, 1],
  [1, 2],
  [3, 4],
] as const) {
  test(`Pipeline reads exactly ${expected} records ahead of a stalled sink through ${operators} operators`, async t => {
    const source = new SequenceSource(testRecords(Array.from({length: 100}, (_, index) => index)));
    let pipeline = Pipeline.from(source);
    for (let index = 0; index < operators; index++) pipeline = pipeline.through(map((value: number) => value));
    const sink = new CollectSink<number>();
    sink.stall();
    const run = pipeline.to(sink);
    await delay(30);
    t.is(source.emitted, expected);
    sink.release();
    await run;
    t.is(sink.values.length, 100);
  });
}

test('Pipeline goes on where an interrupted run had got to', async t => {
  const [a, b, c] = testRecords(['a', 'b', 'c']) as [StreamRecord<string>, StreamRecord<string>, StreamRecord<string>];
  const pipeline = Pipeline.from(new SequenceSource([a, CHECKPOINT, b, FAIL(error), c]));
  const sink = new CollectSink<string>();
  t.is(await t.throwsAsync(pipeline.to(sink)), error);
  t.deepEqual(sink.values, ['a', 'b']);
  const progress = sink.commits.at(-1);
  if (progress === undefined) return t.fail();
  await pipeline.to(sink, {progress});
  t.deepEqual(sink.values, ['a', 'b', 'c']);
});

test('Pipeline leaves no listener on the signal it was given', async t => {
  const {signal} = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...parameters: Parameters<typeof add>) => {
    listeners++;
    add(...parameters);
  };
  signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
    listeners--;
    remove(...parameters);
  };
  await Pipeline.from(new SequenceSource([first]))
    .through(double)
    .to(new CollectSink(), {signal});
  t.is(listeners, 0);
});

test('Pipeline refuses a negative grace', async t => {
  await t.throwsAsync(Pipeline.from(new SequenceSource([first])).to(new CollectSink(), {graceMs: -1}), {
    instanceOf: RangeError,
    message: 'Cannot run pipeline as graceMs must not be negative: current value is -1',
  });
});
