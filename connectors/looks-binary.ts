const NUL = 0;
const DELETE = 0x7f;
/** Tab, line feed, form feed, carriage return, backspace and escape, which terminals write into logs. */
const TEXT_CONTROLS = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b]);
const CONTROL_SHARE = 0.05;
/** Fewer do not show a pattern. */
const UTF16_NULS = 4;

/**
 * Judges from the first bytes of a content whether it is something else than text in UTF-8 or an 8-bit encoding.
 *
 * @returns What it looks like, or `undefined` for text.
 */
export function looksBinary(bytes: Uint8Array): 'binary' | 'UTF-16' | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16';
  const nuls = [0, 0];
  let controls = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (byte === NUL) nuls[index % 2]!++;
    else if (byte === DELETE || (byte < 0x20 && !TEXT_CONTROLS.has(byte))) controls++;
  }
  const [even, odd] = nuls as [number, number];
  if (even + odd > 0) {
    // Latin letters in UTF-16 have every other byte NUL.
    const [few, many] = even < odd ? [even, odd] : [odd, even];
    return few === 0 && controls === 0 && many >= UTF16_NULS && many > bytes.length / 4 ? 'UTF-16' : 'binary';
  }
  return controls > bytes.length * CONTROL_SHARE ? 'binary' : undefined;
}
