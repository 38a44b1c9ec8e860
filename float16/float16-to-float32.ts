/** Widens IEEE 754 binary16 bit patterns; every value is represented exactly, NaN stays NaN. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length);
  const out = new Uint32Array(result.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // Zero or subnormal: fraction · 2^-24, which float32 holds as a normal number.
      result[i] = fraction * 2 ** -24;
      out[i]! |= sign;
    } else {
      out[i] = sign | ((exponent === 31 ? 0xff : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return result;
}
