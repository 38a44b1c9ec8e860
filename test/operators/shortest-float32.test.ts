import test from 'ava';
import {shortestFloat32} from '../../operators/shortest-float32.ts';
import {seededRandom} from './seeded-random.ts';

/** Fewest digits of any decimal that reads back, found by trying them all in order. */
function fewestDigits(value: number): number {
  for (let digits = 1; ; digits++) if (Math.fround(Number(value.toPrecision(digits))) === value) return digits;
}

function digitsOf(text: string): number {
  const [mantissa] = text.replace('-', '').split('e') as [string];
  const digits = mantissa.replace('.', '').replace(/^0+/, '');
  return (mantissa.includes('.') ? digits : digits.replace(/0+$/, '')).length;
}

function* floats(): Generator<number> {
  const random = seededRandom(7);
  const bits = new Uint32Array(1);
  const floats = new Float32Array(bits.buffer);
  // The numbers around every power of two, as far as subnormal ones.
  for (let exponent = 0; exponent < 255; exponent++) {
    for (const near of [-1, 0, 1]) {
      bits[0] = (exponent << 23) + near;
      if (Number.isFinite(floats[0])) yield floats[0]!;
    }
  }
  for (let count = 0; count < 40_000; count++) {
    bits[0] = random() * 2 ** 32;
    if (Number.isFinite(floats[0])) yield floats[0]!;
    yield Math.fround((random() - 0.5) / 8);
    yield Math.fround(Math.round((random() - 0.5) * 2000) / 1000);
  }
  for (let exponent = -38; exponent <= 38; exponent++) yield Math.fround(Number(`1e${exponent}`));
}

test('shortestFloat32 reads back as the same bits, in JSON and in the fewest digits', t => {
  let wrong = 0;
  for (const value of floats()) {
    const text = shortestFloat32(value);
    const same = Object.is(Math.fround(JSON.parse(text)), value);
    if (same && (value === 0 || digitsOf(text) === fewestDigits(value))) continue;
    if (wrong++ < 5) t.log(value, text);
  }
  t.is(wrong, 0);
});

test('shortestFloat32 writes plain decimals as they are', t => {
  const expected = [
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.1'],
    [-0.0625, '-0.0625'],
    [1000, '1000'],
    [16777216, '16777216'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1.401298464324817e-45, '1e-45'],
  ] as const;
  for (const [value, text] of expected) t.is(shortestFloat32(Math.fround(value)), text);
});
