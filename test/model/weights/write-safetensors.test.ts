import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import {float16ToFloat32} from '../../../float16/float16-to-float32.ts';
import {bfloat16ToFloat32} from '../../../model/weights/bfloat16-to-float32.ts';
import {parseSafetensors} from '../../../model/weights/parse-safetensors.ts';
import {readSafetensors} from '../../../model/weights/read-safetensors.ts';
import {type WritableTensor, writeSafetensors} from '../../../model/weights/write-safetensors.ts';

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

const tensors = new Map<string, WritableTensor>([
  ['z', {shape: [3], data: Uint8Array.of(1, 2, 3)}],
  ['2', {shape: [2, 1], data: Float32Array.of(1.5, -0)}],
  ['long', {shape: [], data: BigInt64Array.of(-5n)}],
  ['10', {shape: [1], data: Float64Array.of(0.1)}],
  ['whole', {shape: [0], data: new Int32Array(0)}],
  ['ünï "quoted"\n', {shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1)}],
]);

test('writeSafetensors refuses numbers that float16 would make infinite', async t => {
  const path = join(await temporaryFolder(t), 'w.safetensors');
  const large = (value: number) => new Map([['large', {shape: [2], data: Float32Array.of(1, value)}]]);
  await t.throwsAsync(writeSafetensors(path, large(-65_520), {floatType: 'F16'}), {
    instanceOf: RangeError,
    message:
      /Cannot write tensor "large" in float16 as its numbers must be below 65520: current value is -65520; write bf/,
  });
  await writeSafetensors(path, large(65_519), {floatType: 'F16'});
  t.is((await readSafetensors(path)).tensors.get('large')!.shape[0], 2);
  await writeSafetensors(path, large(1e30), {floatType: 'BF16'});
});

test('writeSafetensors and readSafetensors round trip every type', async t => {
  const path = join(await temporaryFolder(t), 'w.safetensors');
  const length = await writeSafetensors(path, tensors, {metadata: {b: 'two', a: 'öne'}});
  const read = await readSafetensors(path);
  t.is(read.tensors.size, tensors.size);
  for (const [name, {shape, data}] of tensors) {
    t.deepEqual(read.tensors.get(name)?.shape, shape, name);
    t.deepEqual(read.tensors.get(name)?.data as unknown, data, name);
  }
  t.deepEqual(
    [...read.metadata],
    [
      ['a', 'öne'],
      ['b', 'two'],
    ],
  );
  const bytes = await readFile(path);
  t.is(bytes.length, length);
  t.deepEqual(parseSafetensors(bytes), read);
});

test('writeSafetensors aligns every tensor in the file', async t => {
  const path = join(await temporaryFolder(t), 'w.safetensors');
  await writeSafetensors(path, tensors);
  const bytes = await readFile(path);
  const dataStart = 8 + Number(bytes.readBigUInt64LE());
  t.is(dataStart % 8, 0);
  const header = JSON.parse(bytes.toString('utf8', 8, dataStart));
  for (const [name, {data}] of tensors) t.is(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT, 0, name);
});

test('writeSafetensors gives the same bytes whatever the order', async t => {
  const folder = await temporaryFolder(t);
  await writeSafetensors(join(folder, 'a'), tensors, {metadata: {x: '1', y: '2'}});
  await writeSafetensors(join(folder, 'b'), new Map([...tensors].reverse()), {metadata: {y: '2', x: '1'}});
  t.deepEqual(await readFile(join(folder, 'a')), await readFile(join(folder, 'b')));
});

test('writeSafetensors narrows float32 to the type asked for, and only float32', async t => {
  const path = join(await temporaryFolder(t), 'w.safetensors');
  const content = new Map<string, WritableTensor>([
    ['x', {shape: [3], data: Float32Array.of(1 / 3, -65_504, 2 ** -24)}],
    ['n', {shape: [1], data: Int32Array.of(70_000)}],
  ]);
  await writeSafetensors(path, content, {floatType: 'F16'});
  const half = (await readSafetensors(path)).tensors;
  t.is(half.get('x')!.type, 'F16');
  t.deepEqual([...float16ToFloat32(half.get('x')!.data as Uint16Array)], [0.333251953125, -65_504, 2 ** -24]);
  t.deepEqual(half.get('n'), {type: 'I32', shape: [1], data: Int32Array.of(70_000)});
  await writeSafetensors(path, content, {floatType: 'BF16'});
  const brain = (await readSafetensors(path)).tensors;
  t.is(brain.get('x')!.type, 'BF16');
  t.deepEqual([...bfloat16ToFloat32(brain.get('x')!.data as Uint16Array)], [0.333984375, -65_536, 2 ** -24]);
});

test('writeSafetensors writes a view of a larger buffer as its own elements only', async t => {
  const path = join(await temporaryFolder(t), 'w.safetensors');
  const data = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
  for (const floatType of ['F32', 'F16'] as const) {
    await writeSafetensors(path, new Map([['x', {shape: [2], data}]]), {floatType});
    const {tensors: read} = await readSafetensors(path);
    const {data: stored} = read.get('x')!;
    t.deepEqual([...(floatType === 'F32' ? stored : float16ToFloat32(stored as Uint16Array))], [1, 2]);
  }
});

test('writeSafetensors leaves the old file and no other when it fails', async t => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'w.safetensors');
  await writeFile(path, 'old');
  const bad = new Map<string, WritableTensor>([['x', {shape: [2], data: Float32Array.of(1)}]]);
  await t.throwsAsync(writeSafetensors(path, bad), {instanceOf: RangeError, message: /"x" as shape \[2\] must fit/});
  await t.throwsAsync(writeSafetensors(path, new Map([['', {shape: [0], data: new Uint8Array()}]])), {
    instanceOf: RangeError,
  });
  await t.throwsAsync(writeSafetensors(path, new Map([['x', {shape: [1], data: [1] as never}]])), {
    instanceOf: TypeError,
  });
  await t.throwsAsync(writeSafetensors(path, new Map(), {metadata: {x: 1 as never}}), {instanceOf: TypeError});
  await t.throwsAsync(writeSafetensors(join(folder, 'no', 'w'), tensors), {instanceOf: ModelError, message: /ENOENT/});
  // A folder in the place of the file: everything is written, only the rename fails.
  await t.throwsAsync(writeSafetensors(folder, tensors), {instanceOf: ModelError});
  t.deepEqual(await readdir(folder), ['w.safetensors']);
  t.is(await readFile(path, 'utf8'), 'old');
});
