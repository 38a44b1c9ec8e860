import test from 'ava';
import {findDuplicateKey} from '../../../model/weights/find-duplicate-key.ts';

const cases: readonly [json: string, key: string | undefined][] = [
  ['{}', undefined],
  ['{"a":1,"b":1}', undefined],
  ['{"a":1,"a":1}', 'a'],
  ['{"a":{"b":1},"c":{"b":1}}', undefined],
  ['{"a":{"b":1,"c":[],"b":2}}', 'b'],
  ['{"a":["a","a",{"a":"a"}],"b":"a"}', undefined],
  ['[{"a":1},{"a":1}]', undefined],
  ['[{"x":[1,2],"y":0,"x":1}]', 'x'],
  ['{"a,\\"b":1,"\\\\":2,"c":"}{\\\\","d":"\\""}', undefined],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{ "" : 1 , "" : 2 }', ''],
];
for (const [json, key] of cases) {
  test(`findDuplicateKey gives ${JSON.stringify(key)} for ${json}`, t => {
    t.notThrows(() => JSON.parse(json));
    t.is(findDuplicateKey(json), key);
  });
}
