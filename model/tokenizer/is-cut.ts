import {type CutRule, characterClass} from './cut-rule.ts';

const lineFeed = 0x0a;

// 、 。 ！ ， ； ？
const ideographicStops = new Set([0x3001, 0x3002, 0xff01, 0xff0c, 0xff1b, 0xff1f]);

/**
 * Whether well-formed UTF-8 may be cut before byte `index`. Looks at no byte before `start`, where the stretch starts,
 * so that the answer is the same when what was before is gone.
 */
export function isCut(bytes: Uint8Array, index: number, {start, rule}: {start: number; rule: CutRule}): boolean {
  const byte = bytes[index]!;
  if (byte < 0x80) {
    const needed = rule.before[byte]!;
    if (needed !== 0 && (classBefore(bytes, index, {start, rule}) & needed) !== 0) return true;
    return (
      rule.afterLineBreak &&
      byte > 0x20 &&
      byte < 0x7f &&
      byte !== 0x2f &&
      bytes[index - 1] === lineFeed &&
      index - 1 > start &&
      (classBefore(bytes, index - 1, {start, rule}) & characterClass.solid) !== 0
    );
  }
  if (byte < 0xe3 || byte > 0xef) return false;
  const codePoint = ((byte & 0x0f) << 12) | ((bytes[index + 1]! & 0x3f) << 6) | (bytes[index + 2]! & 0x3f);
  if (rule.beforeIdeograph && isIdeograph(codePoint)) return true;
  return (
    rule.beforeIdeographicStop &&
    ideographicStops.has(codePoint) &&
    (classBefore(bytes, index, {start, rule}) & characterClass.letter) !== 0
  );
}

function classBefore(bytes: Uint8Array, index: number, {start, rule}: {start: number; rule: CutRule}): number {
  let at = index - 1;
  let codePoint = bytes[at]!;
  if (codePoint < 0x80) return rule.classOf(codePoint);
  codePoint = 0;
  let shift = 0;
  while (at > start && (bytes[at]! & 0xc0) === 0x80) {
    codePoint |= (bytes[at]! & 0x3f) << shift;
    shift += 6;
    at--;
  }
  return rule.classOf(codePoint | ((bytes[at]! & (0x3f >> (shift / 6))) << shift));
}

function isIdeograph(codePoint: number): boolean {
  return (codePoint >= 0x4e00 && codePoint <= 0x9fff) || (codePoint >= 0x3400 && codePoint <= 0x4dbf);
}
