import test from 'ava';
import {timerDelay} from '../../pipeline/timer-delay.ts';

test('timerDelay() gives what a timer can wait, at most', t => {
  t.is(timerDelay(0), 0);
  t.is(timerDelay(1500), 1500);
  t.is(timerDelay(2 ** 31), 2 ** 31 - 1);
  t.is(timerDelay(Number.POSITIVE_INFINITY), 2 ** 31 - 1);
});
