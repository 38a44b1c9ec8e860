import test from 'ava';
import {float16ToFloat32} from '../../float16/float16-to-float32.ts';
import {float32ToFloat16} from '../../float16/float32-to-float16.ts';

const all = Uint16Array.from({length: 65_536}, (_, i) => i);

test('float32ToFloat16 gives back every binary16 value', t => {
  const back = float32ToFloat16(float16ToFloat32(all));
  for (const bits of all) {
    const isNan = (bits & 0x7fff) > 0x7c00;
    if (isNan ? (back[bits]! & 0x7fff) <= 0x7c00 : back[bits] !== bits) t.fail(`${bits} became ${back[bits]}`);
  }
  t.pass();
});

test('float32ToFloat16 rounds to nearest, ties to even', t => {
  // Between each pair of neighbours, up to infinity at 65536: the middle, and the float32 values beside it.
  const next = new Float32Array(1);
  const word = new Uint32Array(next.buffer);
  const step = (value: number, by: number): number => {
    next[0] = value;
    word[0]! += by;
    return next[0]!;
  };
  const wide = float16ToFloat32(all);
  wide[0x7c00] = 65_536;
  for (let bits = 0; bits < 0x7c00; bits++) {
    const middle = (wide[bits]! + wide[bits + 1]!) / 2;
    const even = bits % 2 === 0 ? bits : bits + 1;
    const values = [step(middle, -1), middle, step(middle, 1)];
    const rounded = float32ToFloat16(Float32Array.from([...values, ...values.map(value => -value)]));
    const expected = [bits, even, bits + 1];
    const both = [...expected, ...expected.map(half => half | 0x8000)];
    if (both.some((half, i) => half !== rounded[i])) t.deepEqual([...rounded], both, `above ${bits}`);
  }
  t.pass();
});

test('float32ToFloat16 keeps NaN, infinities and the sign of zero, and overflows to infinity', t => {
  const halves = float32ToFloat16(Float32Array.of(Number.NaN, Infinity, -Infinity, 0, -0, 1e9, -1e9, 1e-30, -1e-30));
  t.deepEqual([...halves.subarray(1)], [0x7c00, 0xfc00, 0, 0x8000, 0x7c00, 0xfc00, 0, 0x8000]);
  t.true((halves[0]! & 0x7fff) > 0x7c00);
  // A NaN whose payload lies only in the bits that are cut off.
  const payload = new Float32Array(Uint32Array.of(0x7f800001).buffer);
  t.true((float32ToFloat16(payload)[0]! & 0x7fff) > 0x7c00);
});
