import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {wholeNumber} from '../../cli/whole-number.ts';

test('wholeNumber() parses whole numbers, however they are written', t => {
  t.is(wholeNumber()('1'), 1);
  t.is(wholeNumber()('1e3'), 1000);
  t.is(wholeNumber({least: 0})('0'), 0);
  t.is(wholeNumber({least: 0})('1e3'), 1000);
});

test('wholeNumber() refuses everything else', t => {
  for (const value of ['', ' ', '-1', '1.5', 'two', '1e400', '9007199254740993']) {
    for (const least of [0, 1] as const) {
      t.throws(() => wholeNumber({least})(value), {instanceOf: InvalidArgumentError}, value);
    }
  }
  t.throws(() => wholeNumber()('0'), {message: 'It must be a positive whole number.'});
  t.throws(() => wholeNumber({least: 0})('x'), {message: 'It must be a whole number.'});
});
