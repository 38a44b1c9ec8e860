import test from 'ava';
import {float16ToFloat32} from '../../float16/float16-to-float32.ts';

/** The value of a bit pattern, from the definition of binary16. */
function definition(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test('float16ToFloat32 is right for all 65536 bit patterns', t => {
  const wide = float16ToFloat32(Uint16Array.from({length: 65_536}, (_, i) => i));
  const wrong = [...wide.keys()].filter(bits => !Object.is(wide[bits], definition(bits)));
  t.deepEqual(wrong, []);
  t.is(wide.length, 65_536);
});
