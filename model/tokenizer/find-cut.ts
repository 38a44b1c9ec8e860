import type {CutRule} from './cut-rule.ts';
import {isCut} from './is-cut.ts';

/**
 * Most bytes of text in one stretch. Text that offers no place to cut for as long is cut at the last character that
 * ends within them: a place that depends on the text only, but where the tokens may differ from those of the uncut text.
 */
export const longestStretch = 65_536;

export type FindCutOptions = {
  readonly rule: CutRule;
  /** Whether nothing follows `bytes`. */
  readonly last: boolean;
};

/**
 * End of the stretch of well-formed UTF-8 that starts at byte `start`, or `undefined` if that depends on what follows.
 * Depends on the text from `start` on and on nothing else.
 */
export function findCut(bytes: Uint8Array, start: number, {rule, last}: FindCutOptions): number | undefined {
  const stop = Math.min(bytes.length - 1, start + longestStretch);
  for (let index = start + 1; index <= stop; index++) {
    if (isCut(bytes, index, {start, rule})) return index;
  }
  if (bytes.length - start <= longestStretch) return last ? bytes.length : undefined;
  let index = start + longestStretch;
  while ((bytes[index]! & 0xc0) === 0x80) index--;
  return index;
}
