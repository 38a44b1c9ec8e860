import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {pythonEnvironment} from '../../../bench/python-environment.ts';
import {ModelError} from '../../../errors.ts';
import {cacheFolder} from '../../../model/engine/cache-folder.ts';
import {HuggingFaceTokenizer} from '../../../model/index.ts';
import {trainTokenizer} from '../../../training/index.ts';
import {splitPattern} from '../../../training/tokenizer/split-pattern.ts';
import {sampleText} from '../../model/tokenizer/sample-text.ts';
import {textCorpus} from '../text-corpus.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const book = readFileSync(source('examples/data/frankenstein.txt'), 'utf8');

type Answer = {readonly tokenizer: object; readonly ids: readonly number[][]; readonly decoded: readonly string[]};

/** What Hugging Face's Python library makes of a request to test/reference/hugging_face_tokenizers.py. */
async function askHuggingFace(request: object): Promise<Answer> {
  const python = await pythonEnvironment({
    requirements: source('test/reference/requirements.txt'),
    cache: cacheFolder(),
  });
  const {stdout, stderr, status} = spawnSync(python, [source('test/reference/hugging_face_tokenizers.py')], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

test('trainTokenizer writes the file that the trainer of Hugging Face writes, which encodes and decodes alike there and here', async t => {
  const texts = [book, sampleText, book.slice(0, 30_000).replaceAll('\n', '\r\n')];
  const vocabularySize = 3000;
  const tokenizer = await trainTokenizer(await textCorpus(texts), {vocabularySize});
  const samples = [
    sampleText,
    sampleText.toUpperCase(),
    book.slice(-20_000),
    '',
    'a',
    '\u{10ffff}\0\x07',
    '   \r\n\r\n \n x',
  ];
  const answer = await askHuggingFace({texts, pattern: splitPattern, vocabularySize, tokenizer, samples});
  t.deepEqual(tokenizer, answer.tokenizer);
  const ours = new HuggingFaceTokenizer(tokenizer);
  t.is(ours.vocabularySize, vocabularySize);
  for (const [i, sample] of samples.entries()) {
    const {ids} = ours.push(new Uint8Array(), Buffer.from(sample), true);
    t.deepEqual([...ids], answer.ids[i]);
    t.is(ours.decode(ids), sample);
    t.is(answer.decoded[i], sample);
  }
});

test('trainTokenizer gives the same for the same documents in whatever pieces', async t => {
  const options = {vocabularySize: 400};
  const small = await trainTokenizer(await textCorpus([book, sampleText], {pieceBytes: 37}), options);
  t.is(JSON.stringify(small), JSON.stringify(await trainTokenizer(await textCorpus([book, sampleText]), options)));
});

test('trainTokenizer counts only what stands between markers of a corpus opened so', async t => {
  const text = (marked: string): string =>
    `zqzqzqzq zqzq\n*** START OF A BOOK ***\n${marked}\n*** END OF A BOOK ***\nzqzqzq zqzqzq`;
  const tokenizer = await trainTokenizer(await textCorpus([text('abcabcabc abcd')], {gutenberg: true}), {
    vocabularySize: 258,
  });
  t.deepEqual((tokenizer as {model: {merges: unknown}}).model.merges, [
    ['a', 'b'],
    ['ab', 'c'],
  ]);
});

test('trainTokenizer says how far it is', async t => {
  const seen: string[] = [];
  const corpus = await textCorpus([book]);
  await trainTokenizer(corpus, {
    vocabularySize: 300,
    onProgress: ({phase, done, total}) => {
      t.true(done <= total);
      if (phase === 'counting') t.is(total, corpus.bytes);
      seen.push(`${phase} ${done === total}`);
    },
  });
  t.true(seen.includes('counting true'));
});

test('trainTokenizer refuses a vocabulary that holds no more than bytes', async t => {
  const corpus = await textCorpus(['a']);
  for (const vocabularySize of [256, 300.5, 2 ** 24 + 1]) {
    await t.throwsAsync(trainTokenizer(corpus, {vocabularySize}), {
      instanceOf: RangeError,
      message: new RegExp(`from 257 to 2\\^24: current value is ${vocabularySize}$`),
    });
  }
});

test('trainTokenizer refuses text that gives fewer tokens than asked for', async t => {
  await t.throwsAsync(trainTokenizer(await textCorpus(['abab abab']), {vocabularySize: 300}), {
    instanceOf: ModelError,
    message: /current text gives 25\d; use more text, or a smaller vocabulary/,
  });
});

test('trainTokenizer stops when it is aborted, counting or merging', async t => {
  const corpus = await textCorpus([book]);
  const reason = new Error('enough');
  await t.throwsAsync(trainTokenizer(corpus, {vocabularySize: 300, signal: AbortSignal.abort(reason)}), {is: reason});
  const controller = new AbortController();
  const training = trainTokenizer(corpus, {
    vocabularySize: 10_000,
    signal: controller.signal,
    onProgress: ({phase}) => {
      if (phase === 'merging') controller.abort(reason);
    },
  });
  await t.throwsAsync(training, {is: reason});
});
