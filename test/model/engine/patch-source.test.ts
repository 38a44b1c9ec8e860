import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {addonPatches} from '../../../model/engine/addon-patches.ts';
import {nativeStatus} from '../../../model/engine/native-status.ts';
import {patchSource} from '../../../model/engine/patch-source.ts';

const patch = {file: 'source.cc', text: 'next++', replacement: "Next(used, &next) /* $& $' */"};

function sourceFolder(t: {teardown: (remove: () => void) => void}, source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-patch-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  writeFileSync(join(folder, 'source.cc'), source);
  return folder;
}

test('patchSource replaces a text and leaves the rest', async t => {
  const folder = sourceFolder(t, 'int id = next++;\nint other = next;\n');
  await patchSource(folder, patch);
  t.is(readFileSync(join(folder, 'source.cc'), 'utf8'), "int id = Next(used, &next) /* $& $' */;\nint other = next;\n");
});

for (const [source, count] of [
  ['int id = ++next;\n', 0],
  ['int id = next++ + next++;\n', 2],
] as const) {
  test(`patchSource refuses a source that holds the text ${count} times and leaves it`, async t => {
    const folder = sourceFolder(t, source);
    await t.throwsAsync(patchSource(folder, patch), {
      message: `Cannot patch ${join(folder, 'source.cc')} as it must hold "next++" once: current count is ${count}`,
    });
    t.is(readFileSync(join(folder, 'source.cc'), 'utf8'), source);
  });
}

test('The installed addon was compiled with all patches', t => {
  const {folder} = nativeStatus().find(({engine}) => engine === 'native')!;
  t.truthy(folder, 'This test needs the native engine: run "npx palimpsest native install"');
  for (const {file, text, replacement} of addonPatches) {
    const source = readFileSync(join(folder!, 'node_modules/@tensorflow/tfjs-node', file), 'utf8');
    t.true(source.includes(replacement), text);
  }
});
