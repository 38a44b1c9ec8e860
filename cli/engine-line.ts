import type {Engine} from '../model/engine/engine.ts';
import {installCommand} from '../model/engine/install-command.ts';
import {nativeBuild} from '../model/engine/native-build.ts';
import {outdatedBuild} from '../model/engine/outdated-build.ts';

/** Describes an engine in one line, and says why it is not the native one if that was installed and can no longer be used. */
export function engineLine({description, skipped}: Pick<Engine, 'description' | 'skipped'>): string {
  const build = nativeBuild();
  const isSkipped = skipped.some(({name}) => name === 'native');
  if (!isSkipped || build === undefined || outdatedBuild(build) === undefined) return description;
  return `${description}: the native engine was built for another processor or version; run "${installCommand('native')}"`;
}
