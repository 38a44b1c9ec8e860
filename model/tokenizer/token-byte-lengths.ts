export type TokenByteLengthsOptions = {
  /** UTF-8 bytes of text that the tokens stand for together. */
  readonly total: number;
  /** Bytes that a token seems to stand for. */
  readonly surfaceLength: (token: string) => number;
};

/**
 * Gives each of the tokens of a stretch its bytes. If what the tokens show does not add up, because the text was
 * normalised or has unknown parts, the bytes are shared out in proportion to it. They always sum to `total`.
 */
export function tokenByteLengths(tokens: readonly string[], {total, surfaceLength}: TokenByteLengthsOptions): number[] {
  const lengths = tokens.map(surfaceLength);
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (sum === total || tokens.length === 0) return lengths;
  let shown = 0;
  let given = 0;
  return lengths.map((length, i) => {
    shown += length;
    const end = i === tokens.length - 1 ? total : Math.round((shown / Math.max(1, sum)) * total);
    const share = end - given;
    given = end;
    return share;
  });
}
