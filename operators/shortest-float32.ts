/**
 * A finite float32 in the fewest decimal digits, at most 9, that read back as the same float32.
 *
 * @param value Already rounded to float32, as read from a Float32Array.
 */
export function shortestFloat32(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const magnitude = Math.abs(value);
  // Only powers of ten up to 10^22 are exact, so that scaling by them rounds once.
  if (magnitude < 1e-13 || magnitude >= 1e21) return shortestByPrecision(value);
  const integerDigits = Math.floor(Math.log10(magnitude)) + 1;
  // Where 6 digits do not do, fewer do not; most numbers need 8 or 9.
  const first = Math.fround(roundAt(value, 6 - integerDigits)) === value ? 1 : 7;
  for (let digits = first; digits < 9; digits++) {
    const candidate = roundAt(value, digits - integerDigits);
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(roundAt(value, 9 - integerDigits));
}

const POWERS_OF_TEN = Array.from({length: 23}, (_, exponent) => Number(`1e${exponent}`));

function roundAt(value: number, decimals: number): number {
  const power = POWERS_OF_TEN[Math.abs(decimals)]!;
  return decimals >= 0 ? Math.round(value * power) / power : Math.round(value / power) * power;
}

function shortestByPrecision(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}
