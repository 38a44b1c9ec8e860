import {readFileSync} from 'node:fs';
import test from 'ava';
import {splitChapters} from '../../examples/split-chapters.ts';

const bytes = readFileSync('examples/data/frankenstein.txt');
const book = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);

test('frankenstein.txt holds the novel and nothing about how the text was made', t => {
  const words = book.replaceAll(/\s+/g, ' ');
  for (const forbidden of [
    /gutenberg/i,
    /e-?books?\b/i,
    /www\.|https?:|\.(?:org|net|com)\b/i,
    /produced by/i,
    /transcrib/i,
    /proofread/i,
    /trademark/i,
    /copyright/i,
    /pgdp/i,
    /donat/i,
    /electronic/i,
    /\*\*\*|\[|\]/,
  ]) {
    t.notRegex(words, forbidden);
  }
  t.notRegex(book, /\r|\uFEFF|[ \t]$/m);
  t.regex(book, /^ *FRANKENSTEIN;\n/);
  t.true(book.endsWith('lost in darkness and distance.\n\n\nTHE END.\n'));
});

test('splitChapters finds all divisions of the novel', t => {
  const numerals = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX'];
  const chapters = splitChapters(book);
  t.deepEqual(
    chapters.map(({title}) => title),
    [
      ...numerals.slice(0, 4).map(number => `Letter ${number}`),
      ...numerals.slice(0, 7).map(number => `Volume I, Chapter ${number}`),
      ...numerals.map(number => `Volume II, Chapter ${number}`),
      ...numerals.slice(0, 7).map(number => `Volume III, Chapter ${number}`),
    ],
  );
  const words = chapters.map(({text}) => text.split(/\s+/).length);
  t.true(Math.min(...words) > 200 && Math.max(...words) < 10_000);
  t.true(words.reduce((sum, count) => sum + count) > 71_500);
  const opening = (title: string) =>
    chapters
      .find(chapter => chapter.title === title)!
      .text.replaceAll(/\s+/g, ' ')
      .slice(0, 60);
  t.is(opening('Letter I'), '_To Mrs._ SAVILLE, _England_. St. Petersburgh, Dec. 11th, 17');
  t.is(opening('Volume I, Chapter IV'), 'It was on a dreary night of November, that I beheld the acco');
  t.true(chapters[3]!.text.endsWith('read it in some future day!\n'));
  t.true(chapters[10]!.text.endsWith('the misery that I then endured.\n'));
  t.true(chapters[26]!.text.endsWith('lost in darkness and distance.\n'));
});

test('splitChapters names chapters without a volume when there are none, and ends the last with the text', t => {
  t.deepEqual(splitChapters('Title\n\nCHAPTER I.\n\nOne. CHAPTER II.\n\nCHAPTER II.\n\nTwo.\n'), [
    {title: 'Chapter I', text: 'One. CHAPTER II.\n'},
    {title: 'Chapter II', text: 'Two.\n'},
  ]);
  t.deepEqual(splitChapters('Nothing to split\n'), []);
});
