import test from 'ava';
import {ModelError} from '../../../errors.ts';
import {ByteTokenizer, LexicalCounts} from '../../../model/index.ts';
import {cosineSimilarities, retrievalScores, trainLexicalHead} from '../../../training/index.ts';
import {seededRandom} from '../../operators/seeded-random.ts';
import {textCorpus} from '../text-corpus.ts';

const tokenizer = new ByteTokenizer();

/** Text of words that are drawn from few of many, some documents' own. */
function texts(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({length: count}, () => {
    const own = Array.from({length: 3}, () => String.fromCharCode(97 + Math.floor(random() * 26)));
    let text = '';
    while (text.length < 3000) {
      const shared = String.fromCharCode(65 + Math.floor(random() * 26)).repeat(1 + Math.floor(random() ** 3 * 12));
      text += random() < 0.7 ? shared : own[Math.floor(random() * 3)]!;
    }
    return text;
  });
}

test('trainLexicalHead makes excerpts of documents it has not seen find each other', async t => {
  const head = await trainLexicalHead(await textCorpus(texts(60, 1)), {
    tokenizer,
    excerptTokens: 300,
    dimension: 24,
    pairBuckets: 16,
  });
  t.is(head.dimension, 24);
  const excerpts = texts(20, 2).flatMap(text => [text.slice(0, 300), text.slice(2000, 2300)]);
  const counts = excerpts.map(text => {
    const counted = new LexicalCounts(head.weights);
    counted.add(Int32Array.from(Buffer.from(text)));
    return counted;
  });
  const partners = excerpts.map((_, i) => i ^ 1);
  const raw = retrievalScores(cosineSimilarities(counts.map(({counts: all}) => all)), partners);
  const trained = retrievalScores(cosineSimilarities(counts.map(counted => head.embed(counted))), partners);
  t.true(trained.top1 > 0.8 && trained.top1 > raw.top1, `${trained.top1} after training, ${raw.top1} before`);
});

test('trainLexicalHead gives the same for the same corpus in whatever pieces, and says how far it is', async t => {
  const seen = new Set<string>();
  const options = {tokenizer, excerptTokens: 500};
  const one = await trainLexicalHead(await textCorpus(texts(5, 3)), {
    ...options,
    onProgress: ({phase, done, total}) => seen.add(`${phase} ${done}/${total}`),
  });
  const other = await trainLexicalHead(await textCorpus(texts(5, 3), {pieceBytes: 33}), options);
  t.deepEqual(one.weights, other.weights);
  t.is(one.dimension, 5);
  t.true(seen.has('reading 5/5'));
  t.true(seen.has('fitting 6/6'), [...seen].join());
});

test('trainLexicalHead takes no more excerpts of a document than it may', async t => {
  const [long, ...rest] = texts(6, 4);
  const options = {tokenizer, excerptTokens: 300, mostExcerpts: 4};
  const cut = await trainLexicalHead(await textCorpus([long!.slice(0, 1250), ...rest]), options);
  t.deepEqual((await trainLexicalHead(await textCorpus([long!, ...rest]), options)).weights, cut.weights);
});

test('trainLexicalHead refuses documents too short for two excerpts', async t => {
  await t.throwsAsync(trainLexicalHead(await textCorpus([...texts(2, 5), 'short']), {tokenizer, excerptTokens: 1500}), {
    instanceOf: ModelError,
    message: /two excerpts of 1500 tokens: current corpus has 2;/,
  });
});

test('trainLexicalHead refuses options that are none', async t => {
  const corpus = await textCorpus(['a']);
  for (const option of ['dimension', 'excerptTokens', 'mostExcerpts']) {
    await t.throwsAsync(trainLexicalHead(corpus, {tokenizer, [option]: 0}), {
      instanceOf: RangeError,
      message: new RegExp(`${option} must be a positive whole number: current value is 0`),
    });
  }
});

test('trainLexicalHead stops when it is aborted', async t => {
  const corpus = await textCorpus(texts(5, 6));
  for (const phase of ['reading', 'fitting']) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const training = trainLexicalHead(corpus, {
      tokenizer,
      excerptTokens: 300,
      signal: controller.signal,
      onProgress: progress => {
        if (progress.phase === phase) controller.abort(reason);
      },
    });
    await t.throwsAsync(training, {is: reason});
  }
});
