import test from 'ava';
import {WordPieces} from '../../../training/evaluation/word-pieces.ts';

/** A stretch of tokens with their bits. */
function stretch(...tokens: readonly (readonly [text: string, bits: number])[]) {
  return {
    ids: new Int32Array(tokens.length),
    byteLengths: Int32Array.from(tokens, ([text]) => Buffer.byteLength(text)),
    text: Buffer.from(tokens.map(([text]) => text).join('')),
    bits: Float32Array.from(tokens, ([, bits]) => bits),
  };
}

test('WordPieces gives the bits of a token to the word of its first letter', t => {
  const pieces = new WordPieces();
  const words = pieces.push(stretch(['The', 1], [' old', 2], ['er', 4], [' hand', 8], ['.\n', 16]));
  t.deepEqual(words, [
    {word: 'The', bits: 1},
    {word: 'older', bits: 6},
    {word: 'hand.', bits: 24},
  ]);
  t.deepEqual(pieces.end(), {words: [], bits: 0});
});

test('WordPieces carries a word from stretch to stretch, and white space to the word that follows', t => {
  const pieces = new WordPieces();
  t.deepEqual(pieces.push(stretch([' ', 1], ['\r\n', 2], ['pal', 4])), []);
  t.deepEqual(pieces.push(stretch(['imp', 8], ['sest\t', 16], [' ', 32])), [{word: 'palimpsest', bits: 31}]);
  t.deepEqual(pieces.end(), {words: [], bits: 32});
});

test('WordPieces puts characters of several bytes together, and ends a document with its last word', t => {
  const pieces = new WordPieces();
  const bytes = Buffer.from('日本');
  const words = pieces.push({
    ids: new Int32Array(6),
    byteLengths: new Int32Array(6).fill(1),
    text: bytes,
    bits: new Float32Array(6).fill(1),
  });
  t.deepEqual(words, []);
  t.deepEqual(pieces.end().words, [{word: '日本', bits: 6}]);
});

test('WordPieces counts a token of two words as both, its bits to the first', t => {
  t.deepEqual(new WordPieces().push(stretch(['of the ', 3])), [
    {word: 'of', bits: 3},
    {word: 'the', bits: 0},
  ]);
});
