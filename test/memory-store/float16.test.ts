import test from 'ava';
import {fromFloat16, toFloat16} from '../../memory-store/float16.ts';

/** The definition, in arithmetic. */
function meaningOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const halves = Uint16Array.from({length: 0x10000}, (_, i) => i);

test('fromFloat16 gives the value of every half', t => {
  const values = fromFloat16(halves);
  t.true(halves.every(half => Object.is(values[half], meaningOf(half))));
});

test('toFloat16 gives back every half', t => {
  const back = toFloat16(fromFloat16(halves));
  t.true(
    halves.every(half =>
      Number.isNaN(meaningOf(half)) ? back[half] === ((half & 0x8000) | 0x7e00) : back[half] === half,
    ),
  );
});

test('toFloat16 rounds to nearest, ties to even', t => {
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  const next = (from: number, steps: number) => {
    value[0] = from;
    bits[0]! += steps;
    return value[0]!;
  };
  // Below the first infinite half, whose meaning for rounding is 65536.
  for (let half = 0; half < 0x7c00; half++) {
    const upper = half === 0x7bff ? 65536 : meaningOf(half + 1);
    const middle = (meaningOf(half) + upper) / 2;
    const even = half % 2 === 0 ? half : half + 1;
    const found = toFloat16(Float32Array.of(middle, next(middle, -1), next(middle, 1), -middle));
    if (found[0] !== even || found[1] !== half || found[2] !== half + 1 || found[3] !== (even | 0x8000)) {
      t.fail(`between ${half} and ${half + 1}: ${found}`);
    }
  }
  t.deepEqual(toFloat16(Float32Array.of(1e9, -1e9, 1e-30, -1e-30)), Uint16Array.of(0x7c00, 0xfc00, 0, 0x8000));
});

test('toFloat16 reads a view that begins inside its buffer', t => {
  t.deepEqual(toFloat16(Float32Array.of(1, 2, 3).subarray(1)), Uint16Array.of(0x4000, 0x4200));
});
