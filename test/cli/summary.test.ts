import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {runCommand} from './run-command.ts';

const book = await readFile(fileURLToPath(new URL('../../../examples/data/frankenstein.txt', import.meta.url)), 'utf8');

const cwd = await mkdtemp(join(tmpdir(), 'palimpsest-'));
const at = (name: string) => join(cwd, name);
const run = (...args: string[]) => runCommand(args, {cwd});
const trainSummary = ['summary', 'train', '-m', 'model', '-d', 'part-*.txt', '--excerpt', '1000', '--read', '2'];

test.after.always(() => rm(cwd, {recursive: true}));

/** A model, documents to train on, and excerpts of others. */
test.serial.before(async t => {
  const chapters = Array.from({length: 14}, (_, i) => book.slice(i * 28_000, (i + 1) * 28_000));
  for (const [i, text] of chapters.entries()) await writeFile(at(`${i < 11 ? 'part' : 'unseen'}-${i}.txt`), text);
  for (const args of [
    ['tokenizer', 'train', '--data', 'part-*.txt', '--vocabulary', '450', '--quiet'],
    ['init', 'model', '--preset', 'tiny', '--tokenizer', 'tokenizer.json'],
    ['summary', 'pairs', '-d', 'unseen-*.txt', '--characters', '5000', '--at', '10,60'],
  ]) {
    const {code, stderr} = await run(...args);
    t.is(code, 0, stderr);
  }
});

test.serial('palimpsest summary pairs takes two excerpts of each document', async t => {
  const lines = (await readFile(at('pairs.jsonl'), 'utf8')).trim().split('\n');
  const pairs = lines.map(line => JSON.parse(line) as {id: string; text: string});
  t.deepEqual(
    pairs.map(({id}) => id),
    ['11', '12', '13'].flatMap(i => [`unseen-${i}.txt#a`, `unseen-${i}.txt#b`]),
  );
  t.is(pairs[1]!.text, (await readFile(at('unseen-11.txt'), 'utf8')).slice(16_800, 21_800));

  await writeFile(at('short.txt'), 'too short');
  const {code, stderr} = await run(
    'summary',
    'pairs',
    '-d',
    'unseen-11.txt',
    'short.txt',
    '-o',
    'one.jsonl',
    '--characters',
    '5000',
  );
  t.is(code, 0);
  t.regex(stderr, /Wrote two excerpts of 1 document: one.jsonl; passed over 1 document too short for two/);
  for (const place of ['20', '70,20', '20,100', 'a,b']) {
    const refused = await run('summary', 'pairs', '-d', 'unseen-11.txt', '--at', place);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /--at must be two percentages below 100, the less one first/);
  }
});

test.serial('palimpsest summary train writes a head that embed and evaluate use', async t => {
  const fingerprintOf = async () => {
    const {stdout} = await run('embed', '-m', 'model', '-s', 'memory', '--quiet', 'unseen-11.txt');
    return JSON.parse(stdout) as {embedding: number[]; parts?: object; dimension: number; model: {fingerprint: string}};
  };
  const before = await fingerprintOf();
  t.is(before.parts, undefined);
  t.is(before.dimension, 64);

  const {code, stderr} = await run(...trainSummary);
  t.is(code, 0, stderr);
  t.regex(stderr, /Shares by 3 held-out documents: lexical [\d.]+, sketch [\d.]+, transformer [\d.]+\n/);
  t.regex(stderr, /\nTrained a summary head on 11 documents in [\d.]+ s: model\/summary.safetensors, 0.\d MB\n/);
  t.is((await readdir(at('model.features'))).length, 11);

  const after = await fingerprintOf();
  t.deepEqual(after.parts, {lexical: 11, sketch: 96, transformer: 11});
  t.is(after.dimension, 118);
  t.is(after.embedding.length, 118);
  t.not(after.model.fingerprint, before.model.fingerprint);

  // Trained again, it is the same to the byte.
  const head = await readFile(at('model/summary.safetensors'));
  t.is((await run(...trainSummary, '--quiet')).code, 0);
  t.deepEqual(await readFile(at('model/summary.safetensors')), head);

  const ids = ['11', '12', '13'].flatMap(i => [`unseen-${i}.txt#a`, `unseen-${i}.txt#b`]);
  const perfect = ids.map(id => ({id, embedding: ['11', '12', '13'].map(i => Number(id.includes(`-${i}`)))}));
  await writeFile(at('perfect.jsonl'), perfect.map(line => JSON.stringify(line)).join('\n'));
  const evaluated = await run(
    'evaluate',
    '-m',
    'model',
    '--retrieval',
    'pairs.jsonl',
    '--vectors',
    'oracle=perfect.jsonl',
    '-o',
    'figures.json',
  );
  t.is(evaluated.code, 0, evaluated.stderr);
  const {rows, excerpts} = JSON.parse(await readFile(at('figures.json'), 'utf8')) as {
    excerpts: number;
    rows: {name: string; numbers?: number; top1: number; top5: number; meanReciprocalRank: number}[];
  };
  t.is(excerpts, 6);
  t.deepEqual(
    rows.map(({name, numbers}) => [name, numbers]),
    [
      ['TF-IDF, words', undefined],
      ['TF-IDF, 3 to 5 characters', undefined],
      ['TF-IDF, hashed pairs of tokens', undefined],
      ['mean of token embeddings', 64],
      ['oracle', 3],
      ['mean of final hidden vectors', 64],
      ['summary head, lexical', 11],
      ['summary head, sketch', 96],
      ['summary head, lexical and sketch', 107],
      ['summary head, transformer', 11],
      ['summary head, all', 118],
    ],
  );
  for (const {top1, top5, meanReciprocalRank} of rows) t.true(0 <= top1 && top1 <= meanReciprocalRank && top5 === 1);
  t.like(rows[4], {top1: 1, meanReciprocalRank: 1});
  t.regex(evaluated.stdout, /^ +numbers +top-1 +top-5 +MRR\nTF-IDF, words +[\d.]+ +1.000 +[\d.]+\n/);
});

test.serial('palimpsest evaluate --retrieval refuses what it cannot measure by', async t => {
  const [first] = (await readFile(at('pairs.jsonl'), 'utf8')).split('\n');
  await writeFile(at('broken.jsonl'), `${first}\n{"id": "x#c", "text": "y"}\n`);
  await writeFile(at('few.jsonl'), JSON.stringify({id: 'unseen-11.txt#a', embedding: [1]}));
  await writeFile(at('not-numbers.jsonl'), '{"id": "a", "embedding": ["x"]}');
  const evaluate = (...args: string[]) => run('evaluate', '-m', 'model', ...args);
  for (const [args, code, message] of [
    [
      ['--retrieval', 'broken.jsonl'],
      1,
      /line 2 of "broken.jsonl" as its id must end in "#a" or "#b": current value is "x#c"/,
    ],
    [['--retrieval', 'none.jsonl'], 1, /Cannot read "none.jsonl" as ENOENT/],
    [['--retrieval', 'pairs.jsonl', '--vectors', 'few=few.jsonl'], 1, /"unseen-11.txt#b" has none/],
    [['--retrieval', 'pairs.jsonl', '--vectors', 'x=not-numbers.jsonl'], 1, /line 1 of "not-numbers.jsonl"/],
    [
      ['--retrieval', 'pairs.jsonl', '--vectors', 'few.jsonl'],
      2,
      /--vectors must be name=file: current value is "few.jsonl"/,
    ],
    [['--retrieval', 'pairs.jsonl', '-o', 'figures.txt'], 2, /--out must name a file that ends in .json/],
    [['--retrieval', 'pairs.jsonl', '-d', 'unseen-11.txt'], 2, /either --data or --retrieval must be given/],
    [[], 2, /either --data or --retrieval must be given/],
  ] as const) {
    const result = await evaluate(...args);
    t.is(result.code, code, result.stderr);
    t.regex(result.stderr, message);
  }
});

test.serial('palimpsest summary train refuses too few documents, and leaves no head', async t => {
  await rm(at('model/summary.safetensors'), {force: true});
  const {code, stderr} = await run('summary', 'train', '-m', 'model', '-d', 'unseen-*.txt', '--excerpt', '1000');
  t.is(code, 1);
  t.regex(stderr, /10 documents or more must have two excerpts of 1000 tokens: current corpus has 3;/);
  t.false((await readdir(at('model'))).includes('summary.safetensors'));
});
