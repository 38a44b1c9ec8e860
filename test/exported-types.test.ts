import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {readSource} from './source-files.ts';

/** Names of an import or export, by what they are called outside and in their file. */
type Reexport = {readonly name: string; readonly original: string; readonly file: string};

const dist = fileURLToPath(new URL('../', import.meta.url));
const {exports: doors} = JSON.parse(readSource('package.json')) as {exports: Record<string, {types?: string}>};

function declarations(file: string): string {
  return readFileSync(join(dist, file), 'utf8');
}

/** What a file of declarations takes from others of this package. */
function takenFrom(file: string, keyword: 'import' | 'export'): Reexport[] {
  const found = declarations(file).matchAll(
    new RegExp(`^${keyword} (?:type )?\\{([^}]*)\\} from '(\\.[^']*)\\.[jt]s';$`, 'gm'),
  );
  return [...found].flatMap(([, names, path]) =>
    names!.split(',').flatMap(entry => {
      if (entry.trim() === '') return [];
      const [original, name = original] = entry
        .trim()
        .replace(/^type /, '')
        .split(' as ');
      return [{name: name!, original: original!, file: `${join(dirname(file), path!)}.d.ts`}];
    }),
  );
}

/** Follows files that only pass names on. */
function origin({name, original, file}: Reexport): Reexport {
  const next = takenFrom(file, 'export').find(passed => passed.name === original);
  return next === undefined ? {name, original, file} : origin({...next, name});
}

const exported = Object.values(doors)
  .flatMap(({types}) => (types === undefined ? [] : takenFrom(types.replace('./dist/', ''), 'export')))
  .map(origin);
const key = ({original, file}: Reexport) => `${original} of ${file}`;
const known = new Set(exported.map(key));

/** What a file of declarations declares, by name. */
function statements(file: string): Map<string, string> {
  const heads = [
    ...declarations(file).matchAll(
      /^(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|function|const) (\w+)/gm,
    ),
  ];
  const ends = [...heads.slice(1).map(({index}) => index), undefined];
  return new Map(heads.map(({1: name, index}, i) => [name!, declarations(file).slice(index, ends[i])]));
}

/** Names of this package's types that a declaration uses, those of its file that nobody can name followed to theirs. */
function usedTypes({original, file}: Reexport, seen = new Set<string>()): Reexport[] {
  if (seen.has(original)) return [];
  seen.add(original);
  const own = statements(file);
  const text = own.get(original) ?? '';
  const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(text.replace(/\/\*.*?\*\//gs, ''));
  const taken = takenFrom(file, 'import').filter(({name}) => uses(name));
  const local = [...own].filter(([name]) => name !== original && uses(name));
  return [
    ...taken.map(origin),
    ...local.flatMap(([name, statement]) => {
      const type = {name, original: name, file};
      return statement.startsWith('export') ? [type] : usedTypes(type, seen);
    }),
  ];
}

test('Types that stand in what doors export are exported themselves', t => {
  t.true(known.size > 100);
  const used = exported.flatMap(entry => usedTypes(entry));
  t.deepEqual([...new Set(used.map(key))].filter(type => !known.has(type)).sort(), []);
});

test('All that doors export has a docstring, but for options, whose fields have', t => {
  const bare = exported.filter(
    ({original, file}) =>
      !original.endsWith('Options') &&
      !new RegExp(
        `\\*/\\s*export (?:declare )?(?:abstract )?(?:type|interface|class|function|const) ${original}\\b`,
      ).test(declarations(file)),
  );
  t.deepEqual([...new Set(bare.map(key))].sort(), []);
});
