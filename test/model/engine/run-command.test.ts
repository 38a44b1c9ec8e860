import test from 'ava';
import {runCommand} from '../../../model/engine/run-command.ts';

const node = (text: string) => [process.execPath, '--eval', text] as const;

test('runCommand gives the standard output, as it comes and at the end', async t => {
  const pieces: string[] = [];
  const text = 'console.log(process.env.COLOUR)';
  const output = await runCommand(node(text), {env: {COLOUR: 'blue'}, onOutput: piece => pieces.push(piece)});
  t.is(output, 'blue\n');
  t.is(pieces.join(''), output);
});

test('runCommand throws what the program wrote to its standard error when it fails', async t => {
  await t.throwsAsync(runCommand(node('console.error("No such thing"); process.exitCode = 3')), {
    message: /No such thing/,
  });
  await t.throwsAsync(runCommand(['/no/such/program']), {code: 'ENOENT'});
});

test('runCommand waits for the end of a program that is aborted', async t => {
  const controller = new AbortController();
  const reason = new Error('Enough');
  const pieces: string[] = [];
  const onOutput = (piece: string) => {
    pieces.push(piece);
    controller.abort(reason);
  };
  const text = `
    process.on('SIGTERM', () => setTimeout(() => process.stdout.write('ended', () => process.exit()), 200));
    setInterval(() => {}, 1000);
    console.log('started');`;
  t.is(await t.throwsAsync(runCommand(node(text), {signal: controller.signal, onOutput})), reason);
  t.is(pieces.join(''), 'started\nended');
});
