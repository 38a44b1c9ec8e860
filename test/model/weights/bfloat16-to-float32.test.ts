import test from 'ava';
import {bfloat16ToFloat32} from '../../../model/weights/bfloat16-to-float32.ts';

test('bfloat16ToFloat32 gives the float32 with the same upper bits', t => {
  const wide = bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x8000, 0x7f80, 0xff80, 0x7fc0));
  t.deepEqual([...wide], [1, -3.140625, 2 ** -133, -0, Infinity, -Infinity, Number.NaN]);
});
