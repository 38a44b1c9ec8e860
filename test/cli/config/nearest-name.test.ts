import test from 'ava';
import {nearestName} from '../../../cli/config/nearest-name.ts';

for (const [name, names, expected] of [
  ['bacth', ['batch', 'every'], 'batch'],
  ['Batch', ['batch'], 'batch'],
  ['checkpointevry', ['checkpointEvery', 'checkpointBytes'], 'checkpointEvery'],
  ['topics', ['format', 'topic'], 'topic'],
  ['xyzzy', ['batch', 'every'], undefined],
  ['', ['batch'], undefined],
  ['batch', [], undefined],
] as const) {
  test(`nearestName finds ${expected === undefined ? 'nothing' : `"${expected}"`} for "${name}" among [${names}]`, t => {
    t.is(nearestName(name, names), expected);
  });
}
