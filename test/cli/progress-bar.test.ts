import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
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

/** Runs a command on a terminal, which comes out on standard output, and stops it when it has shown a bar. */
const onTerminal = [
  'python3',
  '-c',
  `
import fcntl, os, pty, signal, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 20, 60, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
shown, stopped = b'', False
try:
    while True:
        piece = os.read(terminal, 4096)
        shown += piece
        os.write(1, piece)
        if not stopped and b'tokens/s' in shown:
            stopped = True
            os.kill(child, signal.SIGINT)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`,
];

/** Whether what was hidden and switched off came back at last. */
function leavesTerminal(t: ExecutionContext, output: string): void {
  for (const [off, on] of [
    ['\x1b[?25l', '\x1b[?25h'],
    ['\x1b[?7l', '\x1b[?7h'],
  ] as const) {
    t.true(output.includes(off) && output.lastIndexOf(on) > output.lastIndexOf(off), JSON.stringify([off, on]));
  }
}

test.serial('ProgressBar fits into the terminal of a run, and is gone when it is stopped', async t => {
  const {code, stdout} = await runCommand(program, {cwd, within: onTerminal});
  t.is(code, exitCodes.interrupted, stdout);
  const drawn = stdout.split('\x1b[1G').slice(1);
  t.true(drawn.length > 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told what to do by them
  for (const line of drawn) t.true(line.replace(/\x1b.*$/s, '').length < 60, JSON.stringify(line));
  t.true(stdout.includes(' % | '));
  leavesTerminal(t, stdout);
});

test('ProgressBar leaves the terminal as it was when the process exits at once', t => {
  const module = new URL('../../cli/progress-bar.js', import.meta.url).href;
  const text = `import {ProgressBar} from '${module}'; new ProgressBar({stream: process.stderr, total: 5}); process.exit(7)`;
  const args = [...onTerminal.slice(1), process.execPath, '--input-type=module', '--eval', text];
  const {status, stdout} = spawnSync(onTerminal[0]!, args, {encoding: 'utf8'});
  t.is(status, 7, stdout);
  leavesTerminal(t, stdout);
});

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
