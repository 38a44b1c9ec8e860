import test from 'ava';
import type {BenchProgram, ProgramOption} from '../../bench/bench-program.ts';
import {parseProgram} from '../../bench/parse-program.ts';

const program = {
  command: 'npm run bench:test',
  about: 'Measures nothing.',
  options: {
    rounds: {kind: 'number', default: 3, value: 'number', about: 'turns'},
    start: {kind: 'number', default: 0, least: 0, value: 'byte', about: 'where to begin'},
    threads: {kind: 'number', value: 'number', about: 'threads'},
    cell: {kind: 'text', default: 'A1', choices: ['A1', 'B1'], value: 'name', about: 'what to measure'},
  },
} as const satisfies BenchProgram<Record<string, ProgramOption>>;

test('parseProgram() gives values, and what is usual for those that are not given', t => {
  t.deepEqual(parseProgram(program, []), {
    values: {rounds: 3, start: 0, threads: undefined, cell: 'A1'},
    names: [],
    help: undefined,
  });
  const {values} = parseProgram(program, ['--rounds', '9', '--start=0', '--threads', '2', '--cell', 'B1']);
  t.deepEqual(values, {rounds: 9, start: 0, threads: 2, cell: 'B1'});
});

test('parseProgram() takes names only where there are some', t => {
  t.deepEqual(parseProgram({...program, names: ['a', 'b']}, ['b', 'a']).names, ['b', 'a']);
  t.throws(() => parseProgram({...program, names: ['a', 'b']}, ['c']), {
    instanceOf: RangeError,
    message: 'Cannot measure as names must be of a, b: current value is "c"',
  });
  t.throws(() => parseProgram(program, ['a']), {instanceOf: TypeError});
});

test('parseProgram() refuses what it does not know, and values that cannot be', t => {
  for (const [args, message] of [
    [['--fast'], /--fast/],
    [['--rounds'], /--rounds/],
    [['--rounds', '0'], /--rounds must be a positive integer: current value is "0"/],
    [['--rounds', 'x'], /current value is "x"/],
    [['--rounds='], /current value is ""/],
    [['--start', '1.5'], /--start must be an integer of at least 0: current value is "1.5"/],
    [['--cell', 'C1'], /--cell must be one of A1, B1: current value is "C1"/],
  ] as const) {
    t.throws(() => parseProgram(program, args), {message}, args.join(' '));
  }
});

test('parseProgram() gives a help that lists what there is', t => {
  t.is(
    parseProgram({...program, names: ['a', 'b'], notes: 'It needs nothing.'}, ['--help']).help,
    `Usage: npm run bench:test -- [options] [names]

Measures nothing.

Names of what to measure, all without any: a, b

  --rounds <number>  turns (default: 3)
  --start <byte>     where to begin (default: 0)
  --threads <number> threads
  --cell <name>      what to measure (default: A1)
  --help             print this

It needs nothing.`,
  );
});
