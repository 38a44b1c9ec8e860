import {Command} from 'commander';
import type {InstallNativeOptions} from './run-install-native.ts';
import type {NativeStatusOptions} from './run-native-status.ts';

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
    .action(async (options: InstallNativeOptions) => {
      const {runInstallNative} = await import('./run-install-native.ts');
      await runInstallNative(options);
    });
  native
    .command('status')
    .description('Show which native engines are installed, and where, those of other versions too')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ palimpsest native status --json')
    .action(async (options: NativeStatusOptions) => {
      const {runNativeStatus} = await import('./run-native-status.ts');
      await runNativeStatus(options);
    });
  native
    .command('remove')
    .description('Remove all native engines from your cache folder')
    .addHelpText('after', '\nExample:\n  $ palimpsest native remove')
    .action(async () => {
      const {removeNative} = await import('../model/engine/remove-native.ts');
      const removed = await removeNative();
      console.log(removed.length > 0 ? removed.map(folder => `Removed ${folder}`).join('\n') : 'Nothing to remove');
    });
  return native;
}
