import {Command} from 'commander';
import {installCommand} from '../model/engine/install-command.ts';
import {type InstallProgress, installNative} from '../model/engine/install-native.ts';
import {nativeStatus} from '../model/engine/native-status.ts';
import {removeNative} from '../model/engine/remove-native.ts';

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
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('Interrupted: nothing was installed'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const report = createReport(process.stderr);
  try {
    const {folder, alreadyInstalled} = await installNative({gpu, signal: controller.signal, onProgress: report.show});
    report.end();
    console.log(`${alreadyInstalled ? 'Already installed in' : 'Installed in'} ${folder}`);
  } finally {
    report.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** One line for each step; on a terminal, the line grows a percentage. */
function createReport(output: NodeJS.WriteStream): {show: (progress: InstallProgress) => void; end: () => void} {
  let current = '';
  const end = () => {
    if (current !== '' && output.isTTY) output.write('\n');
    current = '';
  };
  const show = ({step, doneBytes = 0, totalBytes}: InstallProgress) => {
    const size = totalBytes === undefined ? '' : ` (${(totalBytes / 1e6).toFixed(0)} MB)`;
    if (step !== current) {
      end();
      current = step;
      output.write(output.isTTY ? `${step}${size}` : `${step}${size}\n`);
    }
    if (output.isTTY && totalBytes) output.write(`\r${step}${size} ${Math.floor((100 * doneBytes) / totalBytes)} %`);
  };
  return {show, end};
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
