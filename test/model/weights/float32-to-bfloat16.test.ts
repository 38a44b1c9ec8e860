import test from 'ava';
import {bfloat16ToFloat32} from '../../../model/weights/bfloat16-to-float32.ts';
import {float32ToBfloat16} from '../../../model/weights/float32-to-bfloat16.ts';

test('float32ToBfloat16 gives back every bfloat16 value', t => {
  const all = Uint16Array.from({length: 65_536}, (_, i) => i);
  const back = float32ToBfloat16(bfloat16ToFloat32(all));
  for (const bits of all) {
    const isNan = (bits & 0x7fff) > 0x7f80;
    if (isNan ? (back[bits]! & 0x7fff) <= 0x7f80 : back[bits] !== bits) t.fail(`${bits} became ${back[bits]}`);
  }
  t.pass();
});

test('float32ToBfloat16 rounds to nearest, ties to even, and keeps NaN', t => {
  const words = [
    [0x3f80_7fff, 0x3f80],
    [0x3f80_8000, 0x3f80],
    [0x3f80_8001, 0x3f81],
    [0x3f81_8000, 0x3f82],
    [0xbf81_8000, 0xbf82],
    [0x0000_8000, 0x0000],
    [0x0000_8001, 0x0001],
    [0x0001_8000, 0x0002],
    [0x8000_0000, 0x8000],
    [0x007f_ffff, 0x0080],
    [0x7f7f_8000, 0x7f80],
    [0xff7f_ffff, 0xff80],
    [0x7f80_0000, 0x7f80],
    [0xff80_0000, 0xff80],
    [0x7f80_0001, 0x7fc0],
    [0xffff_ffff, 0xffff],
  ] as const;
  const values = new Float32Array(Uint32Array.from(words, ([word]) => word).buffer);
  t.deepEqual(
    [...float32ToBfloat16(values)],
    words.map(([, bits]) => bits),
  );
});
