import test from 'ava';
import {streamPart} from '../../bench/stream-part.ts';

const samples = [
  {seconds: 0, tokens: 0, residentBytes: 10},
  {seconds: 1, tokens: 90, residentBytes: 20},
  {seconds: 3, tokens: 210, residentBytes: 30},
  {seconds: 4, tokens: 310, residentBytes: 40},
];

test('streamPart gives the speed between the samples that reach both counts', t => {
  t.deepEqual(streamPart(samples, {from: 50, to: 200}), {tokensPerSecond: 60, residentBytes: 30});
  t.deepEqual(streamPart(samples, {from: 0, to: 310}), {tokensPerSecond: 77.5, residentBytes: 40});
});

test('streamPart refuses counts that no sample, or the same sample, reaches', t => {
  t.throws(() => streamPart(samples, {from: 0, to: 311}), {instanceOf: RangeError, message: /stream is too short/});
  t.throws(() => streamPart(samples, {from: 100, to: 200}), {instanceOf: RangeError});
});
