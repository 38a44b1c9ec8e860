import {installCommand} from '../model/engine/install-command.ts';
import {nativeStatus} from '../model/engine/native-status.ts';
import {otherBuilds} from '../model/engine/other-builds.ts';
import {megabytes} from './megabytes.ts';

export type NativeStatusOptions = {readonly json?: boolean};

/** Prints which native engines are installed, and where. */
export async function runNativeStatus({json}: NativeStatusOptions): Promise<void> {
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
