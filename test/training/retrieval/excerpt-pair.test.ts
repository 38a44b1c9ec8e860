import test from 'ava';
import {excerptPair} from '../../../training/retrieval/excerpt-pair.ts';
import {textCorpus} from '../text-corpus.ts';

test('excerptPair takes characters at shares of the text that counts', async t => {
  const text = Array.from({length: 100}, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
  const {documents} = await textCorpus([text, `*** START OF THIS ***\n${text}\n*** END OF THIS ***\nlicence`], {
    gutenberg: true,
    pieceBytes: 7,
  });
  for (const document of documents) {
    const pair = await excerptPair(document, {characters: 10, places: [0.2, 0.7]});
    t.deepEqual(pair, [text.slice(20, 30), text.slice(70, 80)]);
  }
});

test('excerptPair gives none of a document in which they would overlap or overrun', async t => {
  const {documents} = await textCorpus(['x'.repeat(100)]);
  const pairOf = (characters: number, places: readonly [number, number]) =>
    excerptPair(documents[0]!, {characters, places});
  t.not(await pairOf(30, [0.4, 0.7]), undefined);
  t.is(await pairOf(31, [0.4, 0.7]), undefined);
  t.not(await pairOf(10, [0, 0.9]), undefined);
  t.is(await pairOf(11, [0, 0.9]), undefined);
});
