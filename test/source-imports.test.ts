import test from 'ava';
import {sourceImports} from './source-imports.ts';

for (const [source, specifier, type, late] of [
  [`import {a} from './a.ts';`, './a.ts', false, false],
  [`import {\n  a,\n  type B,\n} from './a.ts';`, './a.ts', false, false],
  [`import a, {b} from "./a.ts";`, './a.ts', false, false],
  [`import * as a from './a.ts';`, './a.ts', false, false],
  [`import './a.ts';`, './a.ts', false, false],
  [`export {a} from './a.ts';`, './a.ts', false, false],
  [`export * from './a.ts';`, './a.ts', false, false],
  [`import type {A} from './a.ts';`, './a.ts', true, false],
  [`export type {A} from './a.ts';`, './a.ts', true, false],
  [`import {type A, type B} from './a.ts';`, './a.ts', true, false],
  [`const a = await import('./a.ts');`, './a.ts', false, true],
  [`const a = require('a');`, 'a', false, true],
  [`new Worker(new URL('./a.ts', import.meta.url));`, './a.ts', false, true],
] as const) {
  test(`sourceImports() finds ${source.replaceAll('\n', ' ')}`, t => {
    t.deepEqual(sourceImports(`const before = 1;\n${source}\nconst after = 2;\n`), [{specifier, type, late}]);
  });
}

test('sourceImports() does not take comments and other exports for imports', t => {
  const source = `/**\n * import {a} from './a.ts';\n */\n// import('./b.ts')\nexport const a = 'b';\nexport function from() {}\n`;
  t.deepEqual(sourceImports(source), []);
});
