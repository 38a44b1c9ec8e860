/**
 * Rounds to IEEE 754 binary16, to nearest and ties to even. From 65520 on the result is infinite; NaN stays NaN.
 *
 * @returns Bit patterns.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x47800000) {
      // 65536 and above, infinity, or NaN, which gets a quiet bit so that it cannot become infinity.
      result[i] = magnitude > 0x7f800000 ? sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff) : sign | 0x7c00;
    } else if (magnitude >= 0x38800000) {
      // A carry out of the fraction moves on into the exponent, which is what rounding up to the next power needs.
      const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
      result[i] = sign | (rounded >>> 13);
    } else if (magnitude > 0x33000000) {
      const shift = 126 - (magnitude >>> 23);
      const fraction = (magnitude & 0x7fffff) | 0x800000;
      const half = 2 ** (shift - 1);
      const kept = fraction >>> shift;
      const rest = fraction - kept * 2 ** shift;
      result[i] = sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
    } else {
      result[i] = sign;
    }
  }
  return result;
}
