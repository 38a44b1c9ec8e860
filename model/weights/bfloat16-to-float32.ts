/** Widens bfloat16 bit patterns; every value is represented exactly, NaN stays NaN. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length);
  const out = new Uint32Array(result.buffer);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return result;
}
