import {readFileSync} from 'node:fs';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {looksBinary} from '../../connectors/looks-binary.ts';

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

for (const [name, bytes, expected] of [
  ['nothing', Buffer.from(''), undefined],
  ['English', Buffer.from('It was a bright cold day in April.\r\n\tNo more.\f'), undefined],
  ['Japanese', Buffer.from('吾輩は猫である。名前はまだ無い。'), undefined],
  ['a character that is cut', Buffer.from('吾輩は').subarray(0, 8), undefined],
  ['Latin-1', Buffer.from('Grüße aus Köln, ça va très bien', 'latin1'), undefined],
  ['coloured terminal output', Buffer.from('\u001b[31mERROR\u001b[0m \u001b[1mit failed\u001b[0m\b'), undefined],
  ['a stray control character', Buffer.from(`${'a line of text\n'.repeat(10)}\u0001`), undefined],
  ['a NUL', Buffer.from('text\0text'), 'binary'],
  ['many control characters', Buffer.from('\u0001\u0002\u0003abcdefghij'), 'binary'],
  ['little-endian UTF-16 with its mark', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('猫')]), 'UTF-16'],
  ['big-endian UTF-16 with its mark', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16('猫').swap16()]), 'UTF-16'],
  ['little-endian UTF-16 without a mark', utf16('Call me Ishmael.\n'), 'UTF-16'],
  ['big-endian UTF-16 without a mark', utf16('Call me Ishmael.\n').swap16(), 'UTF-16'],
  ['an executable', readFileSync(process.execPath, {flag: 'r'}).subarray(0, 4096), 'binary'],
  ['compressed data', gzipSync(Buffer.from(Array.from({length: 4096}, (_, index) => (index * index) % 251))), 'binary'],
] as const) {
  test(`looksBinary() takes ${name} for ${expected ?? 'text'}`, t => {
    t.is(looksBinary(bytes), expected);
  });
}
