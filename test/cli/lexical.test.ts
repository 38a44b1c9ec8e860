import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {evaluateRetrieval} from '../../cli/evaluate-retrieval.ts';
import {DecodeError, ModelError} from '../../errors.ts';
import {initialiseWeights, writeModelDirectory} from '../../model/index.ts';
import {runCommand} from './run-command.ts';

const book = await readFile(fileURLToPath(new URL('../../../examples/data/frankenstein.txt', import.meta.url)), 'utf8');
const otherTokenizer = fileURLToPath(new URL('../../../test/fixtures/tokenizers/gpt-2.json', import.meta.url));

test('palimpsest tokenizer train, lexical train and evaluateRetrieval work on one another’s files', async t => {
  const cwd = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(cwd, {recursive: true}));
  const at = (name: string) => join(cwd, name);
  const chapters = Array.from({length: 10}, (_, i) => book.slice(i * 40_000, (i + 1) * 40_000));
  for (const [i, text] of chapters.slice(0, 7).entries()) await writeFile(at(`part-${i}.txt`), text);
  for (const args of [
    ['tokenizer', 'train', '--data', '*.txt', '--vocabulary', '450', '--quiet'],
    [
      'lexical',
      'train',
      '--data',
      '*.txt',
      '--tokenizer',
      'tokenizer.json',
      '--excerpt',
      '1000',
      '--pair-buckets',
      '64',
    ],
  ]) {
    const {code, stderr} = await runCommand(args, {cwd});
    t.is(code, 0, stderr);
    if (args[0] === 'lexical') t.regex(stderr, /Trained a lexical head \(7 numbers, 0\.0 MB\) on 7 documents/);
  }

  const texts = chapters.slice(7).flatMap((text, i) => [
    {id: `${i}#a`, text: text.slice(0, 5000)},
    {id: `${i}#b`, text: text.slice(30_000, 35_000)},
  ]);
  await writeFile(at('pairs.jsonl'), texts.map(line => JSON.stringify(line)).join('\n'));
  const perfect = texts.map(({id}) => ({id, embedding: [0, 1, 2].map(i => Number(id.startsWith(`${i}`)))}));
  await writeFile(at('vectors.jsonl'), perfect.map(line => JSON.stringify(line)).join('\n'));
  const config = {
    segmentLength: 4,
    memoryLength: 4,
    compressedMemoryLength: 0,
    compressionRate: 2,
    compressor: 'mean-pool',
    layers: 1,
    heads: 2,
    modelWidth: 8,
    feedForwardWidth: 8,
    vocabularySize: 450,
  } as const;
  await writeModelDirectory(at('model'), {
    name: 'model',
    config,
    trained: false,
    weights: initialiseWeights(config, 1),
    tokenizerPath: at('tokenizer.json'),
  });
  const options = {
    retrieval: at('pairs.jsonl'),
    model: at('model'),
    lexical: {head: at('lexical.safetensors'), tokenizer: at('tokenizer.json')},
    vectors: {perfect: at('vectors.jsonl')},
    out: at('figures.json'),
  };
  const rows = await evaluateRetrieval(options);
  t.deepEqual(
    rows.map(({name}) => name),
    ['TF-IDF, words', 'TF-IDF, 3 to 5 characters', 'mean of token embeddings', 'lexical path, 7 numbers', 'perfect'],
  );
  for (const {top1, top5, meanReciprocalRank} of rows) t.true(0 <= top1 && top1 <= meanReciprocalRank && top5 === 1);
  t.deepEqual(rows.at(-1), {name: 'perfect', top1: 1, top5: 1, meanReciprocalRank: 1});
  t.deepEqual(JSON.parse(await readFile(at('figures.json'), 'utf8')), rows);

  await t.throwsAsync(
    evaluateRetrieval({...options, lexical: {head: at('lexical.safetensors'), tokenizer: otherTokenizer}}),
    {
      instanceOf: ModelError,
      message: /must have 450 tokens/,
    },
  );
  await writeFile(at('vectors.jsonl'), JSON.stringify(perfect[0]));
  await t.throwsAsync(evaluateRetrieval(options), {instanceOf: DecodeError, message: /"0#b" has none/});
});
