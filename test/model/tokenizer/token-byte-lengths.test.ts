import test from 'ava';
import {tokenByteLengths} from '../../../model/tokenizer/token-byte-lengths.ts';

const surfaceLength = (token: string): number => token.length;

test('tokenByteLengths takes what the tokens show if it adds up', t => {
  t.deepEqual(tokenByteLengths(['ab', '', 'c'], {total: 3, surfaceLength}), [2, 0, 1]);
});

test('tokenByteLengths shares out in proportion what does not add up, and loses nothing', t => {
  t.deepEqual(tokenByteLengths(['ab', 'cd'], {total: 8, surfaceLength}), [4, 4]);
  t.deepEqual(tokenByteLengths(['aaa', 'b', 'b'], {total: 3, surfaceLength}), [2, 0, 1]);
  t.deepEqual(tokenByteLengths(['', ''], {total: 5, surfaceLength}), [0, 5]);
  t.deepEqual(tokenByteLengths([], {total: 5, surfaceLength}), []);
});
