import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {exitCodes} from '../../cli/exit-codes.ts';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));
const program = ['embed', '-m', 'model', '-s', 'memory', '--engine', 'wasm', '-o', 'results.jsonl', 'book.txt'];

test.before(async t => {
  t.is((await runCommand(['init', 'model', '--preset', 'tiny'], {cwd})).code, 0);
  writeFileSync(join(cwd, 'book.txt'), sampleText(2_000_000, 1));
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

/** Runs a command on a terminal of some width, which comes out on standard output, and stops it when it has shown a bar. */
const onTerminal = (signals: number) => [
  'python3',
  '-c',
  `
import fcntl, os, pty, signal, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 20, 60, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
shown, stopped = b'', 0
try:
    while True:
        piece = os.read(terminal, 4096)
        shown += piece
        os.write(1, piece)
        if stopped == 0 and b'tokens/s' in shown:
            for stopped in range(1, int(sys.argv[1]) + 1):
                os.kill(child, signal.SIGINT)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`,
  `${signals}`,
];

for (const signals of [1, 2]) {
  test.serial(`ProgressBar fits into a terminal and leaves it as it was when stopped by ${signals} SIGINT`, async t => {
    const {code, stdout} = await runCommand(program, {cwd, within: onTerminal(signals)});
    t.is(code, exitCodes.interrupted, stdout);
    const drawn = stdout.split('\x1b[1G').slice(1);
    t.true(drawn.length > 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told what to do by them
    for (const line of drawn) t.true(line.replace(/\x1b.*$/s, '').length < 60, JSON.stringify(line));
    t.true(stdout.includes(' % | '));
    for (const [off, on] of [
      ['\x1b[?25l', '\x1b[?25h'],
      ['\x1b[?7l', '\x1b[?7h'],
    ] as const) {
      t.true(stdout.includes(off) && stdout.lastIndexOf(on) > stdout.lastIndexOf(off), JSON.stringify([off, on]));
    }
  });
}

test.serial('ReadingProgress writes no control characters where there is no terminal', async t => {
  const running = startCommand(program, {cwd});
  await running.says('Reading with');
  running.process.kill('SIGINT');
  const {code, stderr} = await running.ended;
  t.is(code, exitCodes.interrupted);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
  t.notRegex(stderr, /[\x00-\x09\x0b-\x1f\x7f]/);
  t.regex(stderr, /^Model "model" is untrained.*\nReading with .*\nStopped by SIGINT after .*\n$/);
});
