import test from 'ava';
import {parseBenchOptions} from '../../bench/bench-options.ts';

test('parseBenchOptions measures everything five times by default', t => {
  const {cells, contenders, ...rest} = parseBenchOptions([]);
  t.deepEqual(
    cells.map(({name}) => name),
    ['A1', 'A8', 'B1', 'B16'],
  );
  t.deepEqual(
    contenders.map(({name, precision}) => `${name} ${precision}`),
    [
      'palimpsest float32',
      'palimpsest bfloat16',
      'pytorch float32',
      'pytorch bfloat16',
      'pytorch-plain float32',
      'pytorch-plain bfloat16',
      'compressive-transformer-pytorch float32',
    ],
  );
  t.deepEqual(rest, {help: undefined, rounds: 5, json: undefined});
});

test('parseBenchOptions picks cells and contenders', t => {
  const {cells, contenders, rounds, json} = parseBenchOptions([
    '--only',
    'B1, A8',
    '--contenders=pytorch',
    '--rounds',
    '7',
    '--json',
    'rows.json',
  ]);
  t.deepEqual(
    cells.map(({configuration, batch}) => [configuration, batch]),
    [
      ['A', 8],
      ['B', 1],
    ],
  );
  t.deepEqual(
    contenders.map(({precision}) => precision),
    ['float32', 'bfloat16'],
  );
  t.is(rounds, 7);
  t.is(json, 'rows.json');
});

test('parseBenchOptions refuses what it does not know', t => {
  const refused: [string[], RegExp][] = [
    [['--only', 'A8,C1'], /--only must name some of A1, A8, B1, B16: current value is "C1"/],
    [['--only', ''], /current value is ""/],
    [['--contenders', 'keras'], /--contenders must name some of palimpsest, pytorch, .*: current value is "keras"/],
    [['--rounds', '0'], /--rounds must be a positive integer: current value is "0"/],
    [['--rounds', '2.5'], /current value is "2.5"/],
    [['--fast'], /--fast/],
    [['A8'], /A8/],
  ];
  for (const [args, message] of refused) t.throws(() => parseBenchOptions(args), {message}, args.join(' '));
});

test('parseBenchOptions knows what the help lists', t => {
  const {help} = parseBenchOptions(['--help']);
  for (const option of ['--only', '--contenders', '--rounds', '--json']) t.true(help?.includes(`\n  ${option} `));
});
