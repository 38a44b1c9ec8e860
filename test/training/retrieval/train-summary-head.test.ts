import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import {openEngine} from '../../../model/engine/engine.ts';
import {ByteTokenizer, LexicalCounts, LocalModel, type SummaryHead} from '../../../model/index.ts';
import {cosineSimilarities, retrievalScores, trainSummaryHead} from '../../../training/index.ts';
import {summariseTokens} from '../../../training/retrieval/summarise-tokens.ts';
import {smallModelOptions} from '../../model/small-model.ts';
import {seededRandom} from '../../operators/seeded-random.ts';
import {textCorpus} from '../text-corpus.ts';

const tokenizer = new ByteTokenizer();

test.serial.before(async () => {
  await openEngine('native');
});

/** A model that counts what it reads. */
class CountingModel extends LocalModel {
  steps = 0;

  override step(...args: Parameters<LocalModel['step']>): ReturnType<LocalModel['step']> {
    this.steps++;
    return super.step(...args);
  }
}

const newModel = () => new CountingModel({...smallModelOptions(), compile: false});

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

/** Text of letters that are drawn from few of many, some a document's own. */
function texts(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({length: count}, () => {
    const own = Array.from({length: 3}, () => String.fromCharCode(97 + Math.floor(random() * 26)));
    let text = '';
    while (text.length < 1300) {
      const shared = String.fromCharCode(65 + Math.floor(random() * 26)).repeat(1 + Math.floor(random() ** 3 * 12));
      text += random() < 0.7 ? shared : own[Math.floor(random() * 3)]!;
    }
    return text;
  });
}

const settings = {tokenizer, excerptTokens: 200, dimension: 32, pairBuckets: 64, readExcerpts: 2};

async function embedAll(head: SummaryHead, excerpts: readonly string[]): Promise<Float32Array[]> {
  await using model = newModel();
  const tokens = excerpts.map(text => Int32Array.from(Buffer.from(text)));
  const summaries = await summariseTokens(model, tokens, {batch: 8});
  return summaries.map((summary, i) => {
    const counts = new LexicalCounts(head.sizes);
    counts.add(tokens[i]!);
    return head.embed({...summary, counts});
  });
}

test.serial('trainSummaryHead makes excerpts of documents it has not seen find each other', async t => {
  await using model = newModel();
  const cache = await temporaryFolder(t);
  const {head, documents, validation} = await trainSummaryHead(await textCorpus(texts(60, 1)), {
    ...settings,
    model,
    cache,
  });
  t.is(documents, 60);
  t.is(validation.documents, 12);
  t.deepEqual(head.parts, {lexical: 22, sketch: 6, transformer: 4});
  t.deepEqual(head.shares, validation.all.shares);
  const {all, ...parts} = validation;
  for (const part of [parts.lexical, parts.sketch, parts.transformer, parts.withoutTransformer])
    t.true(part.scores.meanReciprocalRank <= all.scores.meanReciprocalRank);
  t.deepEqual(parts.transformer.shares, {lexical: 0, sketch: 0, transformer: 1});

  const excerpts = texts(20, 2).flatMap(text => [text.slice(0, 200), text.slice(1000, 1200)]);
  const partners = excerpts.map((_, i) => i ^ 1);
  const vectors = await embedAll(head, excerpts);
  const raw = excerpts.map(text => {
    const counts = new LexicalCounts(head.sizes);
    counts.add(Int32Array.from(Buffer.from(text)));
    return counts.tokenCounts;
  });
  const before = retrievalScores(cosineSimilarities(raw), partners).top1;
  const after = retrievalScores(cosineSimilarities(vectors), partners).top1;
  t.true(after > 0.7 && after > before, `${after} after training, ${before} before`);
  t.true(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-6);
});

test.serial(
  'trainSummaryHead goes on after an interruption and gives the same to the bit, reading nothing twice',
  async t => {
    const [cache, other] = [await temporaryFolder(t), await temporaryFolder(t)];
    const corpus = await textCorpus(texts(12, 3));
    await using model = newModel();
    const seen: string[] = [];
    const whole = await trainSummaryHead(corpus, {
      ...settings,
      model,
      cache: other,
      onProgress: ({phase, done, total}) => seen.push(`${phase} ${done}/${total}`),
    });
    for (const step of ['reading 12/12', 'choosing 12/12', 'fitting 12/12']) t.true(seen.includes(step), seen.join());
    const steps = model.steps;

    const reason = new Error('enough');
    for (const phase of ['reading', 'choosing', 'fitting']) {
      const controller = new AbortController();
      const interrupted = trainSummaryHead(corpus, {
        ...settings,
        model,
        cache,
        signal: controller.signal,
        onProgress: progress => {
          if (progress.phase === phase && progress.done >= 5) controller.abort(reason);
        },
      });
      await t.throwsAsync(interrupted, {is: reason});
      if (phase === 'reading') t.is((await readdir(cache)).length, 5);
    }
    const pieces = await textCorpus(texts(12, 3), {pieceBytes: 33});
    const resumed = await trainSummaryHead(pieces, {...settings, model, cache});
    t.is(model.steps, 2 * steps);
    for (const part of ['lexical', 'sketch', 'transformer'] as const)
      t.deepEqual(resumed.head[part].weights, whole.head[part].weights);
    t.deepEqual(resumed.validation, whole.validation);

    // Other excerpts, or another model: nothing of what is kept.
    const files = (await readdir(cache)).length;
    await trainSummaryHead(corpus, {...settings, model, cache, excerptTokens: 300});
    t.is((await readdir(cache)).length, 2 * files);
    await using stranger = new LocalModel({...smallModelOptions(), fingerprint: 'another', compile: false});
    await trainSummaryHead(corpus, {...settings, model: stranger, cache});
    t.is((await readdir(cache)).length, 3 * files);
  },
);

test.serial('trainSummaryHead takes no more excerpts of a document than it may', async t => {
  await using model = newModel();
  const [long, ...rest] = texts(12, 4);
  const options = {...settings, model, cache: await temporaryFolder(t), mostExcerpts: 4};
  const cut = await trainSummaryHead(await textCorpus([long!.slice(0, 850), ...rest]), options);
  const whole = await trainSummaryHead(await textCorpus([long!, ...rest]), options);
  t.deepEqual(whole.head.lexical.weights, cut.head.lexical.weights);
  t.deepEqual(whole.head.transformer.weights, cut.head.transformer.weights);
  // Among more excerpts, others are read.
  const more = await trainSummaryHead(await textCorpus([long!, ...rest]), {...options, mostExcerpts: 6});
  t.notDeepEqual(more.head.transformer.weights, whole.head.transformer.weights);
});

test.serial('trainSummaryHead refuses too few documents of two excerpts', async t => {
  await using model = newModel();
  const corpus = await textCorpus([...texts(9, 5), 'short', 'x'.repeat(399)]);
  await t.throwsAsync(trainSummaryHead(corpus, {...settings, model, cache: await temporaryFolder(t)}), {
    instanceOf: ModelError,
    message: /10 documents or more must have two excerpts of 200 tokens: current corpus has 9;/,
  });
});

test.serial('trainSummaryHead refuses a cache that is no folder or was damaged', async t => {
  await using model = newModel();
  const folder = await temporaryFolder(t);
  const corpus = await textCorpus(texts(10, 6));
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(trainSummaryHead(corpus, {...settings, model, cache: join(folder, 'file')}), {
    instanceOf: ModelError,
    message: /Cannot keep features in ".*file" as EEXIST/,
  });
  const cache = join(folder, 'cache');
  await trainSummaryHead(corpus, {...settings, model, cache});
  const [kept] = await readdir(cache);
  await writeFile(join(cache, kept!), 'none');
  await t.throwsAsync(trainSummaryHead(corpus, {...settings, model, cache}), {
    instanceOf: ModelError,
    message: new RegExp(kept!),
  });
});

test.serial('trainSummaryHead refuses options that are none', async t => {
  await using model = newModel();
  const corpus = await textCorpus(['a']);
  for (const [option, least] of Object.entries({dimension: 8, excerptTokens: 1, mostExcerpts: 2, readExcerpts: 2})) {
    const training = trainSummaryHead(corpus, {...settings, model, cache: 'none', [option]: least - 1});
    await t.throwsAsync(training, {
      instanceOf: RangeError,
      message: new RegExp(`${option} must be a whole number, at least ${least}: current value is ${least - 1}`),
    });
  }
});

test.serial(
  'summariseTokens reads each text from an empty memory, in whatever batch, and leaves none open',
  async t => {
    await using model = newModel();
    const tokens = texts(3, 7).map((text, i) => Int32Array.from(Buffer.from(text.slice(0, 100 + 37 * i))));
    const read: number[] = [];
    const one = await summariseTokens(model, tokens, {batch: 1});
    const two = await summariseTokens(model, tokens, {batch: 2, onProgress: done => read.push(done)});
    t.deepEqual(two, one);
    t.is(read.at(-1), 100 + 137 + 174);
    t.deepEqual(await model.meanCompressed(['text 0', 'text 1', 'text 2']), Array(3).fill(new Float32Array()));
  },
);
