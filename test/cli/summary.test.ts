import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {evaluateCommand} from '../../cli/evaluate.ts';
import {runEvaluateRetrieval} from '../../cli/run-evaluate-retrieval.ts';
import {runMakePairs} from '../../cli/run-make-pairs.ts';
import {runTrainSummary} from '../../cli/run-train-summary.ts';
import {DecodeError, ModelError, SinkError, SourceError} from '../../errors.ts';
import {readModelDirectory} from '../../model/index.ts';
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
  const data = [at('unseen-11.txt'), at('short.txt')];
  await runMakePairs({data, out: at('one.jsonl'), characters: 5000, at: '20,70'});
  t.is((await readFile(at('one.jsonl'), 'utf8')).trim().split('\n').length, 2);
  for (const place of ['20', '70,20', '20,100', 'a,b', '10,20,30']) {
    await t.throwsAsync(runMakePairs({data, out: at('none.jsonl'), characters: 5000, at: place}), {
      instanceOf: RangeError,
      message: /--at must be two percentages below 100, the less one first/,
    });
  }
});

test.serial(
  'palimpsest summary pairs refuses an output that cannot be written, standard input and devices',
  async t => {
    const options = {data: [at('unseen-11.txt')], out: at('no/pairs.jsonl'), characters: 5000, at: '20,70'};
    await t.throwsAsync(runMakePairs(options), {
      instanceOf: SinkError,
      message: /^Cannot write ".*no\/pairs.jsonl" as its folder does not exist$/,
    });
    await t.throwsAsync(runMakePairs({...options, data: ['-'], out: at('pairs-of-none.jsonl')}), {
      instanceOf: RangeError,
      message: 'Cannot read documents from standard input as they are read more than once: name files',
    });
    await t.throwsAsync(runMakePairs({...options, data: ['/dev/null'], out: at('pairs-of-none.jsonl')}), {
      instanceOf: RangeError,
      message: 'Cannot read documents from "/dev/null" as they are read more than once: name files',
    });
  },
);

test.serial('palimpsest summary train writes a head that embed and evaluate use', async t => {
  const {fingerprint} = await readModelDirectory(at('model'));
  const {code, stderr} = await run(...trainSummary);
  t.is(code, 0, stderr);
  t.regex(stderr, /Shares by 3 held-out documents: lexical [\d.]+, sketch [\d.]+, transformer [\d.]+\n/);
  t.regex(stderr, /\nTrained a summary head on 11 documents in [\d.]+ s: model\/summary.safetensors, 0.\d MB\n/);
  t.is((await readdir(at('model.features'))).length, 11);

  const {stdout} = await run('embed', '-m', 'model', '-s', 'memory', '--quiet', 'unseen-11.txt');
  const result = JSON.parse(stdout) as {embedding: number[]; model: {fingerprint: string}};
  t.like(result, {parts: {lexical: 11, sketch: 96, transformer: 11}, dimension: 118});
  t.is(result.embedding.length, 118);
  t.not(result.model.fingerprint, fingerprint);
  t.is(result.model.fingerprint, (await readModelDirectory(at('model'))).fingerprint);

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
  const options = {
    model: at('model'),
    retrieval: at('pairs.jsonl'),
    batch: 4,
    engine: 'native',
    precision: 'float32',
    quiet: true,
  } as const;
  for (const [wrong, instanceOf, message] of [
    [{retrieval: at('broken.jsonl')}, DecodeError, /line 2 of ".*broken.jsonl" as its id .* current value is "x#c"/],
    [{retrieval: at('none.jsonl')}, SourceError, /Cannot read ".*none.jsonl" as it does not exist/],
    [{vectors: [`few=${at('few.jsonl')}`]}, DecodeError, /"unseen-11.txt#b" has none/],
    [{vectors: [`x=${at('not-numbers.jsonl')}`]}, DecodeError, /line 1 of ".*not-numbers.jsonl"/],
    [{vectors: ['few.jsonl']}, RangeError, /--vectors must be name=file: current value is "few.jsonl"/],
    [{out: at('no/figures.json')}, SinkError, /Cannot write ".*no\/figures.json" as its folder does not exist$/],
    [{out: at('figures.txt')}, RangeError, /--out must name a file that ends in .json/],
    [{model: at('nothing')}, ModelError, /Cannot read model ".*nothing"/],
  ] as const) {
    await t.throwsAsync(runEvaluateRetrieval({...options, ...wrong}), {instanceOf, message});
  }
  const both = evaluateCommand().exitOverride();
  for (const data of [[], ['-r', 'pairs.jsonl', '-d', 'book.txt']]) {
    await t.throwsAsync(both.parseAsync(['-m', 'model', ...data], {from: 'user'}), {
      instanceOf: RangeError,
      message: /either --data or --retrieval must be given/,
    });
  }
  for (const [args, message] of [
    [['-d', 'book.txt', '--vectors', 'a=b'], /Cannot use --vectors as it needs --retrieval/],
    [['-r', 'pairs.jsonl', '--gutenberg'], /Cannot use --gutenberg as it needs --data/],
  ] as const) {
    const command = evaluateCommand().exitOverride();
    await t.throwsAsync(command.parseAsync(['-m', 'model', ...args], {from: 'user'}), {
      instanceOf: RangeError,
      message,
    });
  }
});

test.serial('palimpsest summary train refuses too few documents, and leaves the head that was there', async t => {
  const head = await readFile(at('model/summary.safetensors'));
  const options = {model: at('model'), data: [at('unseen-*.txt')], dimension: 512, excerpt: 1000, read: 2} as const;
  await t.throwsAsync(runTrainSummary({...options, engine: 'native', quiet: true}), {
    instanceOf: ModelError,
    message: /10 documents or more must have two excerpts of 1000 tokens: current corpus has 3;/,
  });
  t.deepEqual(await readFile(at('model/summary.safetensors')), head);
});
