import {seededRandom} from '../operators/seeded-random.ts';

const words = 'the page was written over and what stood there before können 日本 — lines of an older hand\n'.split(' ');

/** Text of exactly so many bytes, the same for the same seed. */
export function sampleText(bytes: number, seed: number): string {
  const random = seededRandom(seed);
  let text = '';
  let length = 0;
  while (length < bytes) {
    const word = `${words[Math.floor(random() * words.length)]} `;
    const size = Buffer.byteLength(word);
    text += length + size <= bytes ? word : '.'.repeat(bytes - length);
    length = Math.min(bytes, length + size);
  }
  return text;
}
