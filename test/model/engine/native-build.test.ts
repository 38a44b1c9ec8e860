import test from 'ava';
import {nativeBuild} from '../../../model/engine/native-build.ts';

test('nativeBuild pins Linux on x86-64 with and without a GPU, and on ARM without', t => {
  const names = [
    nativeBuild({platform: 'linux', arch: 'x64'}),
    nativeBuild({platform: 'linux', arch: 'x64', gpu: true}),
    nativeBuild({platform: 'linux', arch: 'arm64'}),
  ].map(build => build?.name);
  t.deepEqual(names, [
    'tfjs-4.22.0-tensorflow-2.21.0-cpu-linux-x64',
    'tfjs-4.22.0-tensorflow-2.21.0-gpu-linux-x64',
    'tfjs-4.22.0-tensorflow-2.21.0-cpu-linux-arm64',
  ]);
  t.is(nativeBuild({platform: 'linux', arch: 'arm64', gpu: true}), undefined);
  t.is(nativeBuild({platform: 'darwin', arch: 'arm64'}), undefined);
  t.is(nativeBuild({platform: 'win32', arch: 'x64'}), undefined);
});

test('nativeBuild pins everything by version, digest and size', t => {
  for (const arch of ['x64', 'arm64'] as const) {
    for (const gpu of [false, true]) {
      const build = nativeBuild({platform: 'linux', arch, gpu});
      if (build === undefined) continue;
      t.is(build.wheels[0].requirement.split('==')[1], build.tensorflowVersion);
      for (const {requirement, sha256, bytes} of build.wheels) {
        t.regex(requirement, /^[a-z0-9-]+==[0-9.]+$/);
        t.regex(sha256, /^[0-9a-f]{64}$/);
        t.true(bytes > 0);
      }
      t.is(new Set(build.wheels.map(({sha256}) => sha256)).size, build.wheels.length);
      for (const {integrity} of build.tarballs) t.regex(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
      t.is(build.wheels.length > 1, gpu);
    }
  }
});
