const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;

function byCase(suffix: string, digits: string): string {
  const lead = String.raw`[^\r\n\p{L}\p{N}]?`;
  const words = `${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}`;
  return String.raw`${words}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${spaces}`;
}

function byLetters(digits: string): string {
  const words = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+`;
  return String.raw`${words}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
}

/**
 * The patterns of `Split` whose matches are known not to cross the cuts of {@link CutRule}: those of GPT-2, of
 * cl100k (GPT-4, Llama 3, with single digits Qwen 2) and of o200k (GPT-4o, Llama 4, without contractions Tekken).
 *
 * In all of them no alternative goes on from something else into a space, nor from a letter or number into a line break,
 * nor from a letter into a comma, and the only look-around is `(?!\S)` behind white space.
 */
export const knownSplitPatterns: ReadonlySet<string> = new Set([
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  byLetters(String.raw`\p{N}{1,3}`),
  byLetters(String.raw`\p{N}`),
  byCase(`${contractions}?`, String.raw`\p{N}{1,3}`),
  byCase('', String.raw`\p{N}`),
  byCase('', String.raw`\p{N}{1,3}`),
]);
