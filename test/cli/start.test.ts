import {join} from 'node:path';
import test from 'ava';
import {readSource} from '../source-files.ts';
import {sourceImports} from '../source-imports.ts';

/** Packages, and source files of this project, that are loaded before the code of a source file runs. */
function loadedBefore(path: string): {readonly packages: string[]; readonly files: readonly string[]} {
  const files = [path];
  const packages = new Set<string>();
  for (const file of files) {
    for (const {specifier, type, late} of sourceImports(readSource(file))) {
      if (type || late || specifier.startsWith('node:')) continue;
      const imported = join(file, '..', specifier);
      if (!specifier.startsWith('.')) packages.add(specifier);
      else if (!files.includes(imported)) files.push(imported);
    }
  }
  return {packages: [...packages], files};
}

test('palimpsest loads no package but that of its options before it knows what to do', t => {
  const {packages, files} = loadedBefore('cli/main.ts');
  t.deepEqual(packages, ['commander']);
  t.false(files.includes('model/tf.ts'));
});

for (const path of ['cli/run-embed.ts', 'cli/run-run.ts']) {
  test(`${path} leaves tensors to the thread of the model`, t => {
    t.false(loadedBefore(path).files.includes('model/tf.ts'));
  });
}

test('cli/run-train.ts computes tensors', t => {
  t.true(loadedBefore('cli/run-train.ts').files.includes('model/tf.ts'));
});
