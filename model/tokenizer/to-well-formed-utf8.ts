import {isUtf8} from 'node:buffer';

/** Text in which every ill-formed sequence is replaced by U+FFFD. */
export type WellFormedUtf8 = {
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** Bytes of the input that `bytes` stands for; what is behind them is the start of a character. */
  readonly consumed: number;
  /** Where in `bytes` each U+FFFD starts that replaces something, in order. */
  readonly replacedAt: readonly number[];
  /** Bytes of the input that each of them replaces, 1 to 3. */
  readonly replacedLengths: readonly number[];
};

/**
 * Replaces ill-formed sequences as the WHATWG encoding standard does: one U+FFFD for each longest start of a character.
 * A byte order mark stays. Unless `last`, the start of a character at the end is left for the next call.
 */
export function toWellFormedUtf8(input: Uint8Array, last: boolean): WellFormedUtf8 {
  const consumed = last ? input.length : input.length - unfinishedLength(input);
  const text = input.subarray(0, consumed);
  if (isUtf8(text)) return {bytes: text, consumed, replacedAt: [], replacedLengths: []};

  const bytes = new Uint8Array(3 * consumed);
  const replacedAt: number[] = [];
  const replacedLengths: number[] = [];
  let to = 0;
  for (let from = 0; from < consumed; ) {
    if (text[from]! < 0x80) {
      bytes[to++] = text[from++]!;
      continue;
    }
    const length = sequenceLength(text, from);
    if (length > 0) {
      for (const end = from + length; from < end; ) bytes[to++] = text[from++]!;
    } else {
      replacedAt.push(to);
      replacedLengths.push(-length);
      from -= length;
      bytes[to++] = 0xef;
      bytes[to++] = 0xbf;
      bytes[to++] = 0xbd;
    }
  }
  return {bytes: bytes.subarray(0, to), consumed, replacedAt, replacedLengths};
}

/** Bytes of the well-formed sequence at `start`, or minus the bytes of the ill-formed one. */
function sequenceLength(text: Uint8Array, start: number): number {
  const length = expectedLength(text[start]!);
  for (let i = 1; i < length; i++) {
    if (start + i >= text.length || !continues(text, {start, index: i})) return -i;
  }
  return length === 0 ? -1 : length;
}

/** Bytes at the end that are the start of a character whose rest is missing. */
function unfinishedLength(input: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, input.length); length++) {
    const start = input.length - length;
    const lead = input[start]!;
    if ((lead & 0xc0) === 0x80) continue;
    if (expectedLength(lead) <= length) return 0;
    for (let i = 1; i < length; i++) if (!continues(input, {start, index: i})) return 0;
    return length;
  }
  return 0;
}

function expectedLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether byte `index` of the sequence may follow: the second byte excludes overlong forms, surrogates and the rest. */
function continues(text: Uint8Array, {start, index}: {start: number; index: number}): boolean {
  const byte = text[start + index]!;
  let least = 0x80;
  let most = 0xbf;
  if (index === 1) {
    const lead = text[start];
    if (lead === 0xe0) least = 0xa0;
    else if (lead === 0xed) most = 0x9f;
    else if (lead === 0xf0) least = 0x90;
    else if (lead === 0xf4) most = 0x8f;
  }
  return byte >= least && byte <= most;
}
