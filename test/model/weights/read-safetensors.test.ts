import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import {readSafetensors} from '../../../model/weights/read-safetensors.ts';
import {writeSafetensors} from '../../../model/weights/write-safetensors.ts';

async function temporaryPath(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return join(folder, 'w.safetensors');
}

test('readSafetensors refuses every truncated prefix', async t => {
  const path = await temporaryPath(t);
  await writeSafetensors(path, new Map([['x', {shape: [2], data: Float32Array.of(1, 2)}]]), {metadata: {a: 'b'}});
  const whole = await readFile(path);
  for (let length = 0; length < whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    const error = await t.throwsAsync(readSafetensors(path), {instanceOf: ModelError}, `${length} bytes`);
    t.true(error.message.includes(path));
  }
});

test('readSafetensors reads each tensor into a buffer of its own', async t => {
  const path = await temporaryPath(t);
  const x = Float32Array.of(1, 2);
  await writeSafetensors(
    path,
    new Map([
      ['x', {shape: [2], data: x}],
      ['y', {shape: [2], data: x}],
    ]),
  );
  const {tensors} = await readSafetensors(path);
  t.is(tensors.get('x')!.data.buffer.byteLength, 8);
  t.not(tensors.get('x')!.data.buffer, tensors.get('y')!.data.buffer);
});

test('readSafetensors says what is wrong with a path that is no file', async t => {
  const path = await temporaryPath(t);
  await t.throwsAsync(readSafetensors(path), {
    instanceOf: ModelError,
    message: /Cannot open .* as it does not exist; check the path$/,
  });
  await t.throwsAsync(readSafetensors(join(path, '..')), {instanceOf: ModelError});
});
