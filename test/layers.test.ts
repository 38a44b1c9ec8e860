import {builtinModules} from 'node:module';
import {dirname, join} from 'node:path';
import test from 'ava';
import {readSource, sourceFiles} from './source-files.ts';
import {sourceImports} from './source-imports.ts';

/** Height of each layer. Within one, a folder imports only folders that stand before it, except for types. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors.ts', 'float16'],
  ['pipeline', 'memory-store', 'model'],
  ['operators', 'connectors', 'training'],
  ['index.ts', 'cli', 'bench', 'examples', 'test'],
];
/** Folders of one layer that never import each other at all. */
const APART = new Set(['operators', 'connectors', 'training']);

/** Packages that only some paths may import. */
const CONFINED: readonly (readonly [packages: RegExp, paths: RegExp])[] = [
  [/^@tensorflow\//, /^(model|training|bench|test\/(model|training))\//],
  [/^lmdb$/, /^memory-store\/lmdb\//],
  [/^(commander|cli-progress|pino|prom-client|yaml)$/, /^cli\//],
  [/^kafkajs(\/|$)/, /^(connectors\/kafka|bench|test\/connectors\/kafka|test\/integration)\//],
  [/^@node-rs\/crc32$/, /^connectors\/kafka\//],
];

// The imports in the tests of what finds imports are examples.
const files = sourceFiles().filter(path => path !== 'test/source-imports.test.ts');
const manifest = JSON.parse(readSource('package.json')) as Record<string, Record<string, string>>;

function top(path: string): string {
  return path.split('/')[0]!;
}

function layer(path: string): number {
  return LAYERS.findIndex(names => names.includes(top(path)));
}

function mayImport(from: string, {to, type}: {to: string; type: boolean}): boolean {
  if (top(from) === top(to) || layer(to) < layer(from)) return true;
  if (layer(to) > layer(from) || APART.has(top(to))) return false;
  const names = LAYERS[layer(from)]!;
  return type || names.indexOf(top(to)) < names.indexOf(top(from));
}

function edges(path: string): {readonly specifier: string; readonly type: boolean; readonly to: string | undefined}[] {
  return sourceImports(readSource(path)).map(({specifier, type}) => {
    const relative = specifier.startsWith('.');
    return {specifier, type, to: relative ? join(dirname(path), specifier) : undefined};
  });
}

test('Layers are checked on the whole project', t => {
  for (const expected of ['errors.ts', 'pipeline/pipeline.ts', 'connectors/file-source.ts', 'test/layers.test.ts']) {
    t.true(files.includes(expected), expected);
  }
});

test('Every source file belongs to a layer', t => {
  t.deepEqual(
    files.filter(path => layer(path) === -1),
    [],
  );
});

test('Imports point down', t => {
  const wrong = files.flatMap(from =>
    edges(from)
      .filter(({to, type}) => to !== undefined && !/\.(js|json)$/.test(to) && !mayImport(from, {to, type}))
      .map(({specifier}) => `${from} imports ${specifier}`),
  );
  t.deepEqual(wrong, []);
});

test('Imports lead to files that exist', t => {
  const known = new Set(files);
  const missing = files
    .filter(path => !path.startsWith('test/'))
    .flatMap(from =>
      edges(from)
        .filter(({to}) => to?.endsWith('.ts') && !known.has(to))
        .map(({specifier}) => `${from} imports ${specifier}`),
    );
  t.deepEqual(missing, []);
});

test('Third-party packages are imported only where they belong', t => {
  const wrong = files
    // Tests may look behind the door; what the door of the test drivers gives out may not.
    .filter(path => !path.endsWith('.test.ts'))
    .flatMap(from =>
      edges(from)
        .filter(({specifier}) => CONFINED.some(([packages, paths]) => packages.test(specifier) && !paths.test(from)))
        .map(({specifier}) => `${from} imports ${specifier}`),
    );
  t.deepEqual(wrong, []);
});

test('Third-party packages are named in package.json', t => {
  const shipped = new Set(
    ['dependencies', 'peerDependencies'].flatMap(field => Object.keys(manifest[field] ?? {})).concat('palimpsest'),
  );
  const development = new Set([...shipped, ...Object.keys(manifest.devDependencies ?? {})]);
  const unknown = files.flatMap(from =>
    edges(from)
      // A specifier that is put together belongs to a script that a test writes.
      .filter(({specifier, to}) => to === undefined && !isBuiltin(specifier) && !specifier.includes('${'))
      .filter(({specifier}) => !(/^(bench|test)\//.test(from) ? development : shipped).has(packageOf(specifier)))
      .map(({specifier}) => `${from} imports ${specifier}`),
  );
  t.deepEqual(unknown, []);
});

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

for (const [from, to, type, allowed] of [
  ['pipeline/a.ts', 'errors.ts', false, true],
  ['memory-store/a.ts', 'pipeline/b.ts', false, true],
  ['pipeline/a.ts', 'memory-store/b.ts', false, false],
  ['pipeline/a.ts', 'model/b.ts', true, true],
  ['pipeline/a.ts', 'operators/b.ts', true, false],
  ['operators/a.ts', 'connectors/b.ts', true, false],
  ['operators/a.ts', 'training/b.ts', true, false],
  ['training/a.ts', 'connectors/b.ts', true, false],
  ['training/a.ts', 'model/deep/b.ts', false, true],
  ['operators/a.ts', 'model/deep/b.ts', false, true],
  ['operators/a.ts', 'operators/b.ts', false, true],
  ['errors.ts', 'pipeline/b.ts', true, false],
  ['cli/a.ts', 'index.ts', false, true],
  ['model/a.ts', 'test/b.ts', true, false],
] as const) {
  test(`${from} may ${allowed ? '' : 'not '}import ${type ? 'types of ' : ''}${to}`, t => {
    t.is(mayImport(from, {to, type}), allowed);
  });
}
