import test from 'ava';
import {installCommand} from '../../../model/engine/install-command.ts';

test('installCommand builds where a build is pinned, names the npm package elsewhere, and nothing where there is none', t => {
  const native = (platform: NodeJS.Platform, arch: NodeJS.Architecture) => installCommand('native', {platform, arch});
  const gpu = (platform: NodeJS.Platform, arch: NodeJS.Architecture) => installCommand('gpu', {platform, arch});
  t.is(native('linux', 'x64'), 'npx palimpsest native install');
  t.is(native('linux', 'arm64'), 'npx palimpsest native install');
  t.is(native('darwin', 'arm64'), 'npm install @tensorflow/tfjs-node@4.22.0');
  t.is(native('win32', 'x64'), 'npm install @tensorflow/tfjs-node@4.22.0');
  t.is(gpu('linux', 'x64'), 'npx palimpsest native install --gpu');
  t.is(gpu('win32', 'x64'), 'npm install @tensorflow/tfjs-node-gpu@4.22.0');
  t.is(gpu('darwin', 'arm64'), undefined);
  t.is(gpu('linux', 'arm64'), undefined);
});
