/** What a character is good for when it stands before a cut; a sum of the values below. */
export const characterClass = {
  /** The normaliser leaves something of it, and what it leaves does not end in white space. */
  solid: 1,
  letter: 2,
  number: 4,
} as const;

/**
 * Where text may be cut so that the tokens of both sides are those of the whole, whatever follows. Decided by the
 * characters around the cut only.
 */
export type CutRule = {
  /** For each ASCII character: classes of which the character before it needs one; 0 if it never starts a stretch. [128] */
  readonly before: Uint8Array;
  /** Whether a line break and a visible ASCII character other than "/" may be parted, if the line has something solid before its break. */
  readonly afterLineBreak: boolean;
  /** Whether the common Chinese and Japanese commas and stops may start a stretch after a letter. */
  readonly beforeIdeographicStop: boolean;
  /** Whether a Chinese character may start a stretch, after anything. */
  readonly beforeIdeograph: boolean;
  /** Class of a code point, a sum of {@link characterClass}. */
  readonly classOf: (codePoint: number) => number;
};
