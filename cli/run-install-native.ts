import {installNative} from '../model/engine/install-native.ts';
import {InstallDisplay} from './install-display.ts';
import {megabytes} from './megabytes.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';

export type InstallNativeOptions = {
  /** With CUDA. */
  readonly gpu?: boolean;
};

/** Installs the native engine and says where; a stop by a signal leaves nothing installed. */
export async function runInstallNative({gpu = false}: InstallNativeOptions): Promise<void> {
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
