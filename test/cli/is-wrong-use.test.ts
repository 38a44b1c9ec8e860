import test from 'ava';
import {isWrongUse} from '../../cli/is-wrong-use.ts';
import {validateModelConfig} from '../../model/validate-model-config.ts';
import {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

const nothing = JSON.parse('null');

test('isWrongUse() knows what this project throws', t => {
  t.true(isWrongUse(thrown(() => new CheckpointSchedule({bytes: 0}))));
  t.true(isWrongUse(thrown(() => validateModelConfig({} as never))));
  t.true(isWrongUse(new TypeError('Cannot use the configuration as it must be right, and this is not:\n  a')));
});

for (const [title, act] of [
  ['a property of nothing', () => nothing.length],
  ['nothing taken apart', () => ((({length}) => length) as (value: string) => number)(nothing)],
  ['a field of nothing taken apart', () => ((({a: {b}}) => b) as (value: {a: {b: number}}) => number)({} as never)],
  ['a call of nothing', () => nothing()],
  ['a length that is none', () => new Array(-1)],
  [
    'endless recursion',
    () =>
      (function again(): number {
        return again() + 1;
      })(),
  ],
  ['a buffer of a number', () => Buffer.from(5 as never)],
] as const) {
  test(`isWrongUse() takes ${title} for an error of the program`, t => {
    const error = thrown(act);
    t.true(error instanceof TypeError || error instanceof RangeError);
    t.false(isWrongUse(error));
  });
}
