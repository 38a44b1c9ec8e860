import {join} from 'node:path';
import test from 'ava';
import {readSource} from '../source-files.ts';
import {sourceImports} from '../source-imports.ts';

/** Packages that are loaded before the code of a source file runs, by it and by all that it imports. */
function packagesOf(path: string): string[] {
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
  return [...packages].sort();
}

test('palimpsest loads no package but that of its options before it knows what to do', t => {
  t.deepEqual(packagesOf('cli/main.ts'), ['commander']);
});

for (const path of ['cli/run-embed.ts', 'cli/run-run.ts']) {
  test(`${path} leaves tensors to the thread of the model`, t => {
    const packages = packagesOf(path);
    t.true(packages.includes('lmdb'), packages.join());
    t.deepEqual(
      packages.filter(name => name.startsWith('@tensorflow/')),
      [],
    );
  });
}
