import {execFileSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import test from 'ava';
import {readSource} from './source-files.ts';
import {sourceImports} from './source-imports.ts';

const packed = new Set(
  (
    JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {encoding: 'utf8'})) as {
      files: {path: string}[];
    }[]
  ).flatMap(({files}) => files.map(({path}) => path)),
);
const {bin, exports} = JSON.parse(readSource('package.json')) as {
  bin: Readonly<Record<string, string>>;
  exports: Readonly<Record<string, Readonly<Record<string, string>> | string>>;
};

test('Package holds every door, the command, examples with their data, and pages', t => {
  const targets = [bin, ...Object.values(exports)].flatMap(target => Object.values(target));
  const expected = [...new Set(targets.filter(path => path.startsWith('./')))].map(path => path.slice(2));
  t.true(expected.length > 14);
  for (const path of [
    ...expected,
    'dist/examples/demo.js',
    'examples/data/frankenstein.txt',
    'docs/model.md',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ]) {
    t.true(packed.has(path), path);
  }
});

test('Package holds everything that its files import', t => {
  const missing = [...packed]
    .filter(path => /^dist\/.*\.(js|d\.ts)$/.test(path))
    .flatMap(path =>
      sourceImports(readSource(path))
        .filter(({specifier}) => specifier.startsWith('.') && !specifier.endsWith('/'))
        .map(({specifier}) => join(dirname(path), specifier.replace(/(?<!\.d)\.ts$/, '.d.ts')))
        .filter(target => !packed.has(target))
        .map(target => `${path} imports ${target}`),
    );
  t.deepEqual(missing, []);
});

test('Package holds no tests, benchmarks, source maps or leftovers of the compiler', t => {
  t.deepEqual(
    [...packed].filter(path => /\.test\.|\.map$|\.tsbuildinfo$|^dist\/bench\/|^(bench|test)\//.test(path)),
    [],
  );
});
