import test from 'ava';
import {ByteTokenizer} from '../../../model/tokenizer/byte-tokenizer.ts';
import {openCorpus} from '../../../training/documents/corpus.ts';
import {DocumentTokens} from '../../../training/documents/document-tokens.ts';
import {textDocuments} from '../text-documents.ts';

async function open(text: string, gutenberg = false): Promise<DocumentTokens> {
  const {documents} = await openCorpus(textDocuments([text]), {gutenberg, leastBytes: 1});
  return new DocumentTokens(documents[0]!, new ByteTokenizer());
}

test('DocumentTokens gives all tokens of a document with their text', async t => {
  const text = 'Ein Überrest — 日本 of an older hand';
  const tokens = await open(text);
  let ids: number[] = [];
  let read = Buffer.alloc(0);
  while ((await tokens.fill(5)) > 0) {
    const stretch = tokens.take(5);
    ids = [...ids, ...stretch.ids];
    read = Buffer.concat([read, stretch.text]);
    t.is(
      stretch.byteLengths.reduce((sum, length) => sum + length, 0),
      stretch.text.length,
    );
  }
  t.is(read.toString(), text);
  t.deepEqual(ids, [...Buffer.from(text)]);
});

test('DocumentTokens looks ahead without taking', async t => {
  const tokens = await open('abcdefghijkl');
  await tokens.fill(12);
  t.deepEqual([...tokens.peek(2)], [97, 98]);
  t.deepEqual([...tokens.take(3).ids], [97, 98, 99]);
  t.deepEqual([...tokens.peek(1)], [100]);
});

test('DocumentTokens passes over tokens, and says how many there were', async t => {
  const tokens = await open('abcdefghijkl');
  t.is(await tokens.skip(10), 10);
  await tokens.fill(9);
  t.deepEqual([...tokens.take(9).ids], [107, 108]);
  t.is(await tokens.skip(3), 0);
});

test('DocumentTokens reads only what counts of a document', async t => {
  const tokens = await open('a\n*** START OF X\nbook\n*** END OF X\nz\n', true);
  await tokens.fill(99);
  t.is(Buffer.from(tokens.take(99).ids).toString(), 'book\n');
});
