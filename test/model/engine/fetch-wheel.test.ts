import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {fetchWheel} from '../../../model/engine/fetch-wheel.ts';
import {type NativeBuild, nativeBuild} from '../../../model/engine/native-build.ts';

test('fetchWheel unpacks only what is needed, and cleans up', async t => {
  const workspace = mkdtempSync(join(tmpdir(), 'palimpsest-wheel-'));
  t.teardown(() => rmSync(workspace, {recursive: true}));
  const wheel = {
    requirement: 'six==1.17.0',
    sha256: '4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274',
    bytes: 11_050,
  };
  const steps = new Set<string>();
  const onProgress = ({step}: {step: string}) => steps.add(step);
  await fetchWheel(wheel, join(workspace, 'python'), {workspace, build: nativeBuild() as NativeBuild, onProgress});
  t.deepEqual([...steps], ['Downloading six==1.17.0', 'Unpacking six==1.17.0']);
  t.deepEqual(readdirSync(join(workspace, 'python')), ['six-1.17.0.dist-info']);
  t.true(existsSync(join(workspace, 'python/six-1.17.0.dist-info/LICENSE')));
  t.deepEqual(readdirSync(workspace).sort(), ['python', 'requirements.txt']);
});
