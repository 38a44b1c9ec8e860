import test from 'ava';
import {progressLine} from '../../cli/progress-line.ts';

const parts = ['12 s left', '1,677 tokens/s', '28,416 tokens', '1 document'];

test('progressLine shows a bar, a percentage and all there is to say when there is room', t => {
  const line = progressLine({columns: 120, share: 0.25, parts});
  t.is(line, `${'█'.repeat(10)}${'░'.repeat(30)} 25 % | 12 s left | 1,677 tokens/s | 28,416 tokens | 1 document`);
});

test('progressLine shortens the bar, then leaves out what matters least, on narrow terminals', t => {
  t.is(
    progressLine({columns: 79, share: 0.5, parts}),
    `${'█'.repeat(8)}${'░'.repeat(8)} 50 % | 12 s left | 1,677 tokens/s | 28,416 tokens | 1 document`,
  );
  const many = Array.from({length: 20}, (_, n) => `part ${n}`);
  t.true(progressLine({columns: 79, share: 0.5, parts: many}).startsWith('█████░'));
  t.is(progressLine({columns: 39, share: 0.5, parts}), '50 % | 12 s left | 1,677 tokens/s');
  t.is(progressLine({columns: 20, share: 0.5, parts}), '50 % | 12 s left');
  t.is(progressLine({columns: 3, share: 0.5, parts}), '50 ');
});

test('progressLine never takes more than its columns', t => {
  for (let columns = 1; columns < 130; columns++) {
    for (const share of [0, 0.999, 1, undefined]) t.true(progressLine({columns, share, parts}).length <= columns);
  }
});

test('progressLine shows no bar when it is unknown how much there is to do', t => {
  t.is(progressLine({columns: 40, share: undefined, parts: ['5 tokens']}), '5 tokens');
});
