import test from 'ava';
import {canonicalJson} from '../../model/canonical-json.ts';

test('canonicalJson does not depend on the order of keys, and keeps the order of arrays', t => {
  t.is(canonicalJson({b: [2, {d: null, c: 'x"'}], a: 1.5}), '{"a":1.5,"b":[2,{"c":"x\\"","d":null}]}');
  t.is(canonicalJson({10: true, 9: false}), '{"10":true,"9":false}');
  t.not(canonicalJson([1, 2]), canonicalJson([2, 1]));
});
