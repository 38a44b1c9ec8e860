const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** Rounds to the nearest half-precision number, ties to even; magnitudes from 65520 on become infinite, every NaN 0x7e00. */
export function toFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude >= 0x47800000) {
      halves[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    } else if (magnitude < 0x38800000) {
      // One half is where the step between float32 numbers is that of the subnormal halves, so the addition rounds for us.
      scratchFloat[0] = Math.abs(values[i]!) + 0.5;
      halves[i] = sign | (scratchBits[0]! - 0x3f000000);
    } else {
      const odd = (magnitude >>> 13) & 1;
      halves[i] = sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
    }
  }
  return halves;
}

/** Half-precision numbers as float32, which holds each of them exactly. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i]! & 0x8000) << 16;
    const magnitude = halves[i]! & 0x7fff;
    if (magnitude >= 0x7c00) {
      bits[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    } else if (magnitude < 0x400) {
      values[i] = magnitude * 2 ** -24;
      bits[i] = bits[i]! | sign;
    } else {
      bits[i] = sign | ((magnitude << 13) + 0x38000000);
    }
  }
  return values;
}
