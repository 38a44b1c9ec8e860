import test from 'ava';
import {LentBuffers} from '../../memory-store/lent-buffers.ts';

const megabyte = 1024 * 1024;

test.serial('LentBuffers lends again what was given back, and nothing before', t => {
  const first = new LentBuffers();
  const [a, b] = [first.take(megabyte), first.take(megabyte)];
  t.not(a.buffer, b.buffer);
  t.false(first.ended);
  first.giveBack();
  t.true(first.ended);
  const second = new LentBuffers();
  // A record grows by a little from one commit to the next.
  const again = [second.take(megabyte + 1000), second.take(megabyte - 1000)];
  t.deepEqual(new Set(again.map(({buffer}) => buffer)), new Set([a.buffer, b.buffer]));
  t.deepEqual(
    again.map(({length}) => length),
    [megabyte + 1000, megabyte - 1000],
  );
  t.false(again.some(({buffer}) => buffer === second.take(megabyte).buffer));
  second.giveBack();
});

test.serial('LentBuffers lends what was given up to nobody, and makes others instead', t => {
  for (let i = 0; i < 5; i++) {
    const failed = new LentBuffers();
    const given = failed.take(20 * megabyte);
    failed.giveUp();
    const next = new LentBuffers();
    const taken = next.take(20 * megabyte);
    t.not(taken.buffer, given.buffer);
    next.giveBack();
    const last = new LentBuffers();
    t.is(last.take(20 * megabyte).buffer, taken.buffer);
    last.giveUp();
  }
});

test.serial('LentBuffers keeps 64 MiB at most, the last that were used', t => {
  const many = new LentBuffers();
  const all = Array.from({length: 8}, () => many.take(10 * megabyte).buffer);
  many.giveBack();
  const next = new LentBuffers();
  const again = Array.from({length: 8}, () => next.take(10 * megabyte).buffer);
  next.giveBack();
  const kept = new Set(again.filter(buffer => all.includes(buffer)));
  t.is(kept.size, 5);

  const larger = new LentBuffers();
  const large = larger.take(40 * megabyte).buffer;
  larger.giveBack();
  const last = new LentBuffers();
  t.is(last.take(40 * megabyte).buffer, large);
  last.giveBack();
});

test.serial('LentBuffers does not give a large buffer away for little', t => {
  const large = new LentBuffers();
  const {buffer} = large.take(30 * megabyte);
  large.giveBack();
  const small = new LentBuffers();
  t.not(small.take(megabyte).buffer, buffer);
  t.not(small.take(100).buffer, buffer);
  t.is(small.take(30 * megabyte).buffer, buffer);
  small.giveBack();
});
