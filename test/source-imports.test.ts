import test from 'ava';
import {sourceImports} from './source-imports.ts';

for (const [source, specifier, type] of [
  [`import {a} from './a.ts';`, './a.ts', false],
  [`import {\n  a,\n  type B,\n} from './a.ts';`, './a.ts', false],
  [`import a, {b} from "./a.ts";`, './a.ts', false],
  [`import * as a from './a.ts';`, './a.ts', false],
  [`import './a.ts';`, './a.ts', false],
  [`export {a} from './a.ts';`, './a.ts', false],
  [`export * from './a.ts';`, './a.ts', false],
  [`import type {A} from './a.ts';`, './a.ts', true],
  [`export type {A} from './a.ts';`, './a.ts', true],
  [`import {type A, type B} from './a.ts';`, './a.ts', true],
  [`const a = await import('./a.ts');`, './a.ts', false],
  [`const a = require('a');`, 'a', false],
  [`new Worker(new URL('./a.ts', import.meta.url));`, './a.ts', false],
] as const) {
  test(`sourceImports() finds ${source.replaceAll('\n', ' ')}`, t => {
    t.deepEqual(sourceImports(`const before = 1;\n${source}\nconst after = 2;\n`), [{specifier, type}]);
  });
}

test('sourceImports() does not take comments and other exports for imports', t => {
  const source = `/**\n * import {a} from './a.ts';\n */\n// import('./b.ts')\nexport const a = 'b';\nexport function from() {}\n`;
  t.deepEqual(sourceImports(source), []);
});
