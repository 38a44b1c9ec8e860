/**
 * Rounds to bfloat16, to nearest and ties to even; NaN stays NaN.
 *
 * @returns Bit patterns.
 */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    if ((word & 0x7fffffff) > 0x7f800000) {
      // A quiet bit, so that cutting the fraction off cannot turn NaN into infinity.
      result[i] = (word >>> 16) | 0x40;
    } else {
      // Not `| 0`: the sum may pass 2^32 only for NaN, which is handled above.
      result[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  }
  return result;
}
