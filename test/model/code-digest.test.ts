import {execFileSync} from 'node:child_process';
import {appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import test from 'ava';

const model = fileURLToPath(new URL('../../model/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'palimpsest-'));

test.after.always(() => rmSync(folder, {recursive: true, force: true}));

/** The digest that another process finds, whose code is a copy of ours but for what `change` does to it. */
function digestOf(name: string, change: (copy: string) => void = () => {}): string {
  const copy = join(folder, name);
  cpSync(model, copy, {recursive: true});
  writeFileSync(join(copy, 'package.json'), '{"type": "module"}');
  change(copy);
  const url = pathToFileURL(join(copy, 'code-digest.js'));
  const script = `import {codeDigest} from '${url}'; process.stdout.write(codeDigest())`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {encoding: 'utf8'});
}

test('codeDigest is the same wherever the same code lies', t => {
  const digest = digestOf('same');
  t.regex(digest, /^[0-9a-f]{64}$/);
  t.is(digestOf('elsewhere'), digest);
});

test('codeDigest changes with any code that decides what a step computes, or how it is recorded', t => {
  const digests = [
    'compute-step.js',
    'kernels/composed-attention.js',
    'kernels/fused-kernels.js',
    'compressors/mean-pool.js',
    'compile/graph-recorder.js',
    'compile/encode-saved-model.js',
  ].map((file, index) => digestOf(`changed ${index}`, copy => appendFileSync(join(copy, file), '\n')));
  t.is(new Set([digestOf('unchanged'), ...digests]).size, digests.length + 1);
});

test('codeDigest does not change with what is no part of a step', t => {
  const changed = digestOf('documented', copy => {
    appendFileSync(join(copy, 'compute-step.d.ts'), '\n');
    appendFileSync(join(copy, 'compute-step.js.map'), '\n');
    appendFileSync(join(copy, 'tokenizer/byte-tokenizer.js'), '\n');
  });
  t.is(changed, digestOf('plain'));
});

test('codeDigest is found where all code is in one folder, as a bundler puts it', t => {
  const bundled = digestOf('bundled', copy => {
    for (const name of ['kernels', 'compressors', 'compile']) rmSync(join(copy, name), {recursive: true});
  });
  t.regex(bundled, /^[0-9a-f]{64}$/);
  t.not(bundled, digestOf('whole'));
});
