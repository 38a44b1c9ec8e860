import type {WellFormedUtf8} from './to-well-formed-utf8.ts';

export type ToInputLengthsOptions = {
  /** Bytes of the well-formed text for each token; changed in place to bytes of the input. */
  readonly byteLengths: number[];
  /** Bytes of the well-formed text that these tokens stand for; the rest is held back. */
  readonly end: number;
};

/** Counts bytes of the input rather than of the text in which ill-formed sequences have become U+FFFD. */
export function toInputLengths(
  {replacedAt, replacedLengths}: WellFormedUtf8,
  {byteLengths, end}: ToInputLengthsOptions,
): {carryStart: number; replaced: number} {
  let token = 0;
  let tokenEnd = byteLengths[0] ?? 0;
  let replaced = 0;
  let surplus = 0;
  while (replaced < replacedAt.length && replacedAt[replaced]! < end) {
    const at = replacedAt[replaced]!;
    // Of the three bytes of U+FFFD the first ones stand for one byte each, the others for none.
    for (let i = replacedLengths[replaced]!; i < 3; i++) {
      while (at + i >= tokenEnd) tokenEnd += byteLengths[++token]!;
      byteLengths[token]!--;
      surplus++;
    }
    replaced++;
  }
  return {carryStart: end - surplus, replaced};
}
