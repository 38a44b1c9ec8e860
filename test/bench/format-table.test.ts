import test from 'ava';
import {formatTable} from '../../bench/format-table.ts';

test('formatTable lines up text to the left and numbers to the right', t => {
  const rows = [
    ['A1', '12', 'x'],
    ['long', '3,456', ''],
  ];
  t.is(
    formatTable(['cell', '>tokens/s', 'note'], rows),
    ['cell  tokens/s  note', 'A1          12  x', 'long     3,456'].join('\n'),
  );
});

test('formatTable widens a column to its longest cell', t => {
  t.is(formatTable(['>a', 'b'], [['1000', '1']]), '   a  b\n1000  1');
});

test('formatTable refuses a row of another length', t => {
  t.throws(() => formatTable(['a', 'b'], [['1']]), {instanceOf: RangeError, message: /2 cells: current value is 1/});
});
