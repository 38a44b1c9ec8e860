import test from 'ava';
import {TimeLeft} from '../../cli/time-left.ts';

/** What is said after a time in which one of some pieces of work was done. */
function describe(t: {teardown: (restore: () => void) => void}, {ms, of}: {ms: number; of: number}) {
  const now = performance.now;
  t.teardown(() => {
    performance.now = now;
  });
  performance.now = () => 0;
  const left = new TimeLeft();
  left.describe(10, 10 + of);
  performance.now = () => ms;
  return left.describe(11, 10 + of);
}

test.serial('TimeLeft speaks of seconds, minutes and hours', t => {
  t.is(describe(t, {ms: 500, of: 25}), '12 s left');
  t.is(describe(t, {ms: 60_000, of: 6}), '5 min left');
  t.is(describe(t, {ms: 3_600_000, of: 3}), '2.0 h left');
});

test.serial('TimeLeft counts from its first call', t => {
  const now = performance.now;
  t.teardown(() => {
    performance.now = now;
  });
  performance.now = () => 0;
  const left = new TimeLeft();
  performance.now = () => 60_000;
  left.describe(0, 11);
  performance.now = () => 61_000;
  t.is(left.describe(1, 11), '10 s left');
});

test.serial('TimeLeft says nothing as long as nothing was done', t => {
  const left = new TimeLeft();
  t.is(left.describe(10, 20), undefined);
  t.is(left.describe(10, 20), undefined);
});
