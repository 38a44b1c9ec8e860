import {Command} from 'commander';
import {installCommand} from '../model/engine/install-command.ts';
import {type InstallProgress, installNative} from '../model/engine/install-native.ts';
import {nativeStatus} from '../model/engine/native-status.ts';
import {removeNative} from '../model/engine/remove-native.ts';
import {ProgressBar} from './progress-bar.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';
import {TimeLeft} from './time-left.ts';

/** `palimpsest native`: installs, shows and removes the native tensor engine. */
export function nativeCommand(): Command {
  const native = new Command('native').description('Install, show or remove the native tensor engine');
  native
    .command('install')
    .description('Build the native engine from pinned packages of pip and npm, in your cache folder')
    .option('--gpu', 'with CUDA, for NVIDIA GPUs (downloads 3.4 GB in place of 274 MB)')
    .addHelpText(
      'after',
      `
Needs python3 with pip, g++ and npm. The folder is PALIMPSEST_CACHE, else ~/.cache/palimpsest.

Examples:
  $ palimpsest native install
  $ palimpsest native install --gpu
  $ PALIMPSEST_CACHE=/opt/palimpsest palimpsest native install`,
    )
    .action(install);
  native
    .command('status')
    .description('Show which native engines are installed, and where')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ palimpsest native status --json')
    .action(showStatus);
  native
    .command('remove')
    .description('Remove all native engines from your cache folder')
    .addHelpText('after', '\nExample:\n  $ palimpsest native remove')
    .action(async () => {
      const removed = await removeNative();
      console.log(removed.length > 0 ? removed.map(folder => `Removed ${folder}`).join('\n') : 'Nothing to remove');
    });
  return native;
}

async function install({gpu = false}: {readonly gpu?: boolean}): Promise<void> {
  using stop = stopSignals();
  using display = new InstallDisplay();
  try {
    const {folder, alreadyInstalled} = await installNative({
      gpu,
      signal: stop.signal,
      onProgress: progress => display.show(progress),
    });
    display[Symbol.dispose]();
    console.log(`${alreadyInstalled ? 'Already installed in' : 'Installed in'} ${folder}`);
  } catch (error) {
    if (!(error instanceof StopRequest)) throw error;
    process.exitCode = error.exitCode;
    display[Symbol.dispose]();
    process.stderr.write(`${error.message}: nothing was installed\n`);
  }
}

/** A line for each step; on a terminal, a bar below it while its bytes are counted. */
class InstallDisplay implements Disposable {
  #step: string | undefined;
  #timeLeft = new TimeLeft();
  #bar: ProgressBar | undefined;

  show({step, doneBytes = 0, totalBytes}: InstallProgress): void {
    const {stderr} = process;
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
    if (step !== this.#step) {
      this[Symbol.dispose]();
      this.#step = step;
      this.#timeLeft = new TimeLeft();
      const size = totalBytes === undefined ? '' : ` (${megabytes(totalBytes)} MB)`;
      stderr.write(`${step}${size}\n`);
    }
    if (totalBytes === undefined || !stderr.isTTY) return;
    this.#bar ??= new ProgressBar({stream: stderr, total: totalBytes});
    const left = this.#timeLeft.describe(doneBytes, totalBytes);
    this.#bar.show(doneBytes, [`${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`, left]);
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
    this.#bar = undefined;
  }
}

function showStatus({json}: {readonly json?: boolean}): void {
  const engines = nativeStatus();
  if (json) {
    console.log(JSON.stringify(engines, (_key, value) => value ?? null, 2));
    return;
  }
  for (const {engine, folder} of engines) {
    const command = installCommand(engine);
    const missing = command === undefined ? 'not available for this platform' : `not installed: run "${command}"`;
    console.log(`${engine.padEnd(8)}${folder ?? missing}`);
  }
}
