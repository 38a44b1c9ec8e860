import {Command} from 'commander';
import {installCommand} from '../model/engine/install-command.ts';
import {type InstallProgress, installNative} from '../model/engine/install-native.ts';
import {nativeStatus} from '../model/engine/native-status.ts';
import {otherBuilds} from '../model/engine/other-builds.ts';
import {removeNative} from '../model/engine/remove-native.ts';
import {ProgressBar} from './progress-bar.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';
import {TimeLeft} from './time-left.ts';

/** `palimpsest native`: installs, shows and removes the native tensor engine. */
export function nativeCommand(): Command {
  const native = new Command('native').description('Install, show or remove the native tensor engine');
  native
    .command('install')
    .description(
      'Build the native engine from pinned packages of pip and npm, in your cache folder; then remove those of other versions that were not used for a week',
    )
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
    .description('Show which native engines are installed, and where, those of other versions too')
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
    const {folder, alreadyInstalled, removed} = await installNative({
      gpu,
      signal: stop.signal,
      onProgress: progress => display.show(progress),
    });
    display[Symbol.dispose]();
    console.log(`${alreadyInstalled ? 'Already installed in' : 'Installed in'} ${folder}`);
    for (const {folder: old, bytes} of removed)
      console.log(`Removed ${old}, unused for a week: ${megabytes(bytes)} MB`);
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

async function showStatus({json}: {readonly json?: boolean}): Promise<void> {
  const engines = nativeStatus();
  const others = await otherBuilds();
  if (json) {
    const all = [...engines, ...others.map(build => ({engine: 'other', available: true, ...build}))];
    console.log(JSON.stringify(all, (_key, value) => value ?? null, 2));
    return;
  }
  for (const {engine, folder} of engines) {
    const command = installCommand(engine);
    const missing = command === undefined ? 'not available for this platform' : `not installed: run "${command}"`;
    console.log(`${engine.padEnd(8)}${folder ?? missing}`);
  }
  for (const {folder, bytes, usedAt} of others) {
    const day = usedAt.toISOString().slice(0, 10);
    console.log(`other   ${folder}, of another version: ${megabytes(bytes)} MB, last used ${day}`);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
