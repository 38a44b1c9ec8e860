const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const lead = String.raw`[^\r\n\p{L}\p{N}]?`;

/**
 * Parts text into the pieces that merges stay within, as the `Regex` of a `tokenizer.json`: a word by its case with one character before it, up
 * to three digits, punctuation with the line ends behind it, line ends, white space. It is the pattern of o200k without contractions.
 */
export const splitPattern = [
  `${lead}${upper}*${lower}+`,
  `${lead}${upper}+${lower}*`,
  String.raw`\p{N}{1,3}`,
  String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
  String.raw`\s*[\r\n]+`,
  String.raw`\s+(?!\S)`,
  String.raw`\s+`,
].join('|');
