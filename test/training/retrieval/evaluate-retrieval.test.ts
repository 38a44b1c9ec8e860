import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {ByteTokenizer, LocalModel} from '../../../model/index.ts';
import {evaluateRetrieval} from '../../../training/index.ts';
import {smallModelOptions} from '../../model/small-model.ts';
import {randomSummaryHead} from '../../model/summary/random-summary-head.ts';

const tokenizer = new ByteTokenizer();
const options = smallModelOptions();
const embedding = options.weights.get('embedding.weight')!.data;
/** Two documents of letters of their own, more than the compressed memory's worth. */
const texts = ['abc', 'abc', 'xyz', 'xyz'].map((letters, i) => `${letters.repeat(30)}${i}`);
const pairs = {ids: ['a#a', 'a#b', 'x#a', 'x#b'], texts, partners: [1, 0, 3, 2]};

test.serial.before(async () => {
  await openEngine('native');
});

test.serial('evaluateRetrieval measures each part by itself, whatever its share', async t => {
  const rows: (readonly [string, number])[][] = [];
  for (const shares of [
    {lexical: 1, sketch: 0, transformer: 0},
    {lexical: 0.2, sketch: 0.3, transformer: 0.5},
  ]) {
    await using model = new LocalModel({...options, compile: false, summary: randomSummaryHead({shares})});
    const read: number[] = [];
    const evaluated = await evaluateRetrieval(model, pairs, {
      tokenizer,
      embedding,
      batch: 4,
      onProgress: (done, total) => read.push(done, total),
    });
    rows.push(evaluated.map(({name, meanReciprocalRank}) => [name, meanReciprocalRank] as const));
    t.is(read.at(-2), read.at(-1));
  }
  const part = /^summary head, (lexical|sketch|transformer)$/;
  const [first, second] = rows.map(all => all.filter(([name]) => part.test(name)));
  t.is(first!.length, 3);
  t.deepEqual(first, second);
  for (const [name, rank] of first!) t.true(rank > 0.5, `${name} ${rank}`);
});

test.serial('evaluateRetrieval measures a model without a head by means alone', async t => {
  await using model = new LocalModel({...options, compile: false});
  const rows = await evaluateRetrieval(model, pairs, {tokenizer, embedding, batch: 3});
  t.deepEqual(
    rows.map(({name, numbers}) => [name, numbers]),
    [
      ['TF-IDF, words', undefined],
      ['TF-IDF, 3 to 5 characters', undefined],
      ['TF-IDF, hashed pairs of tokens', undefined],
      ['mean of token embeddings', 32],
      ['mean of final hidden vectors', 32],
    ],
  );
  for (const row of rows.slice(1)) t.like(row, {top1: 1, top5: 1, meanReciprocalRank: 1}, row.name);
});
