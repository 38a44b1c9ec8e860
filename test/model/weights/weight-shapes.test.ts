import {readFileSync} from 'node:fs';
import test from 'ava';
import {compressorNames} from '../../../model/compressor-name.ts';
import type {ModelConfig} from '../../../model/model-config.ts';
import {weightShapes} from '../../../model/weights/weight-shapes.ts';

const config: ModelConfig = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 4,
  compressionRate: 4,
  compressor: 'mean-pool',
  layers: 2,
  heads: 2,
  modelWidth: 6,
  feedForwardWidth: 10,
  vocabularySize: 256,
};

/** The table of `docs/model.md`: each name with its shape in letters. */
function documented(): Map<string, string> {
  const page = readFileSync(new URL('../../../../docs/model.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter(line => /^\| `[a-z]/.test(line));
  const table = new Map<string, string>();
  for (const row of rows) {
    const [, names, shapes] = row.split('|') as [string, string, string];
    const all = [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const letters = shapes.match(/\[[^\]]*\]/g)!;
    const first = all[0]!;
    for (const [i, name] of all.entries()) {
      // ".bias" stands for the same path with another end, as long as the end itself.
      const base = first.split('.').slice(0, -(name.split('.').length - 1));
      table.set(name.startsWith('.') ? `${base.join('.')}${name}` : name, letters[i] ?? letters[0]!);
    }
  }
  return table;
}

function inNumbers(letters: string): number[] {
  const {modelWidth: d, heads: H, feedForwardWidth: f, vocabularySize: V, compressionRate: c} = config;
  const values: Record<string, number> = {d, H, f, V, c, k: d / H, 2: 2};
  return letters
    .slice(1, -1)
    .split(', ')
    .map(letter => values[letter]!);
}

for (const compressor of compressorNames) {
  for (const compressedMemoryLength of [4, 0]) {
    test(`weightShapes is the table of docs/model.md for ${compressor} with n_cm = ${compressedMemoryLength}`, t => {
      const expected = new Map<string, number[]>();
      for (const [pattern, letters] of documented()) {
        const compressed = pattern.includes('compress');
        if (compressed && compressedMemoryLength === 0) continue;
        if (pattern.endsWith('compressor.weight') && compressor !== 'convolution') continue;
        if (/dilated|strided/.test(pattern) && compressor !== 'dilated-convolution') continue;
        for (const i of pattern.includes('{i}') ? [0, 1] : [0]) {
          for (const j of pattern.includes('{j}') ? [0, 1, 2] : [0]) {
            expected.set(pattern.replace('{i}', `${i}`).replace('{j}', `${j}`), inNumbers(letters));
          }
        }
      }
      const shapes = weightShapes({...config, compressor, compressedMemoryLength});
      t.true(shapes.size > 20);
      t.deepEqual(Object.fromEntries(shapes), Object.fromEntries(expected));
    });
  }
}
