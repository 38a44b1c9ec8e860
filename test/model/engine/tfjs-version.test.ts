import {createRequire} from 'node:module';
import test from 'ava';
import {tfjsVersion} from '../../../model/engine/tfjs-version.ts';

test('tfjsVersion is the version of the tfjs packages that are installed', t => {
  const require = createRequire(import.meta.url);
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm']) {
    t.is((require(`${name}/package.json`) as {version: string}).version, tfjsVersion);
  }
});
