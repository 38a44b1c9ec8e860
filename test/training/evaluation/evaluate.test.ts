import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {ByteTokenizer} from '../../../model/tokenizer/byte-tokenizer.ts';
import {openCorpus} from '../../../training/documents/corpus.ts';
import {attentionShares} from '../../../training/evaluation/attention-shares.ts';
import {countWords} from '../../../training/evaluation/count-words.ts';
import {evaluate} from '../../../training/evaluation/evaluate.ts';
import {sampleText} from '../../cli/sample-text.ts';
import {smallConfig, smallModel, smallModelOptions} from '../../model/small-model.ts';
import {textDocuments} from '../text-documents.ts';

const tokenizer = new ByteTokenizer();
const texts = [sampleText(1500, 1), sampleText(70, 2), sampleText(333, 3)];
const open = (some: readonly string[]) => openCorpus(textDocuments(some), {gutenberg: false, leastBytes: 1});

test.serial.before(async () => {
  await openEngine('native');
});

test.serial('evaluate adds up the surprisal of every token of every document', async t => {
  await using model = smallModel();
  const corpus = await open(texts);
  const {total, documents, bySeen} = await evaluate(model, corpus, {tokenizer, batch: 2});
  for (const [index, text] of texts.entries()) {
    const bytes = Buffer.from(text);
    let bits = 0;
    for (let start = 0; start < bytes.length; start += smallConfig.segmentLength) {
      const tokens = Int32Array.from(bytes.subarray(start, start + smallConfig.segmentLength));
      const [result] = await model.step([{memory: `alone ${index}`, tokens}]);
      for (const value of result!.surprisal) bits += value;
    }
    const words = text.split(/\s+/).filter(word => word !== '').length;
    const measured = documents[index]!;
    t.like(measured, {id: `text ${index}`, bytes: bytes.length, tokens: bytes.length, words});
    t.true(Math.abs(measured.bits - bits) < 1e-3 * bits);
    t.is(measured.bitsPerByte, measured.bits / bytes.length);
    t.true(Math.abs(Math.log(measured.perplexityPerWord) - (measured.bits * Math.LN2) / words) < 1e-9);
  }
  t.is(total.bytes, 1500 + 70 + 333);
  t.deepEqual(
    bySeen.map(({fromToken, toToken, documents: count, tokens}) => [fromToken, toToken, count, tokens]),
    [
      [0, 1000, 3, 1403],
      [1000, 2000, 1, 500],
    ],
  );
  t.deepEqual(
    documents.map(document =>
      document.bySeen.map(({fromToken, documents: count, tokens}) => [fromToken, count, tokens]),
    ),
    [
      [
        [0, 1, 1000],
        [1000, 1, 500],
      ],
      [[0, 1, 70]],
      [[0, 1, 333]],
    ],
  );
  for (const document of documents) {
    const own = document.bySeen.reduce((all, {bits}) => all + bits, 0);
    t.true(Math.abs(own - document.bits) < 1e-6 * document.bits);
  }
  const sum = bySeen.reduce((all, {bits}) => all + bits, 0);
  t.true(Math.abs(sum - total.bits) < 1e-6 * total.bits);
});

test.serial('evaluate reads no more tokens than it may', async t => {
  await using model = smallModel();
  const {documents} = await evaluate(model, await open(texts), {tokenizer, batch: 4, mostTokens: 100});
  t.deepEqual(
    documents.map(({tokens}) => tokens),
    [100, 70, 100],
  );
});

test.serial('evaluate divides words into classes by how often they occur in the training text', async t => {
  await using model = smallModel();
  const frequencies = new Map([
    ['often', 10_000],
    ['some', 100],
    ['rare', 99],
  ]);
  const corpus = await open(['Often, often -- some (rare) unknown & often']);
  const {byFrequency, total} = await evaluate(model, corpus, {tokenizer, batch: 1, frequencies});
  t.deepEqual(
    byFrequency!.map(({least, below, words}) => [least, below, words]),
    [
      [0, 100, 2],
      [100, 1000, 1],
      [1000, 10_000, 0],
      [10_000, null, 3],
    ],
  );
  t.is(total.words, 8);
  t.true(byFrequency!.reduce((sum, {bits}) => sum + bits, 0) < total.bits);
});

test.serial('evaluate hears a signal between two steps, although the model blocks the thread', async t => {
  await using model = smallModel();
  const controller = new AbortController();
  setImmediate(() => controller.abort(new Error('stopped')));
  let read = 0;
  const reading = evaluate(model, await open(texts), {
    tokenizer,
    batch: 1,
    signal: controller.signal,
    onProgress: ({tokens}) => {
      read = tokens;
    },
  });
  await t.throwsAsync(reading, {message: 'stopped'});
  t.true(read <= 2 * smallConfig.segmentLength, `${read} tokens were read`);
});

test('countWords counts words in lower case without punctuation, across pieces', async t => {
  const counts = await countWords(await open(['The “hand”, the\r\nhand-writing. Über', 'über\n--\n the']));
  t.deepEqual(
    new Map([...counts].sort()),
    new Map([
      ['hand', 1],
      ['hand-writing', 1],
      ['the', 3],
      ['über', 2],
    ]),
  );
});

test.serial('attentionShares gives what each layer pays to each part, only with full memories', async t => {
  for (const compressor of ['convolution', 'most-used'] as const) {
    const {config, weights} = smallModelOptions({compressor});
    const shares = (mostTokens: number) =>
      open(texts).then(({documents}) => attentionShares(documents, {config, weights, tokenizer, mostTokens}));
    const {layers, segments} = await shares(1500);
    // 32 slots are full after 2 segments of 16, 16 compressed ones of 4 rows after 4 more.
    t.is(segments, Math.floor(1500 / 16) - 6 + Math.floor(333 / 16) - 6);
    t.is(layers.length, 2);
    for (const {segment, memory, compressedMemory} of layers) {
      t.true(Math.abs(segment + memory + compressedMemory - 1) < 1e-5);
      for (const share of [segment, memory, compressedMemory]) t.true(share > 0.05, String(share));
    }
    t.deepEqual(await shares(96), {layers: [], segments: 0});
  }
});

test.serial('attentionShares gives what queries pay that see all slots alike', async t => {
  const {config, weights} = smallModelOptions();
  const even = new Map(
    [...weights].map(([name, tensor]) => {
      const scores = /\.attention\.(query\.weight|(content|position|compressed_position)_bias)$/.test(name);
      return [name, scores ? {...tensor, data: tensor.data.map(() => 0)} : tensor];
    }),
  );
  const {documents} = await open([texts[0]!]);
  const {layers} = await attentionShares(documents, {config, weights: even, tokenizer, mostTokens: 160});
  const {segmentLength: n, memoryLength, compressedMemoryLength} = config;
  const mean = (slots: (seen: number) => number) =>
    Array.from({length: n}, (_, i) => slots(i + 1) / (memoryLength + compressedMemoryLength + i + 1)).reduce(
      (sum, share) => sum + share / n,
      0,
    );
  const expected = {
    segment: mean(seen => seen),
    memory: mean(() => memoryLength),
    compressedMemory: mean(() => compressedMemoryLength),
  };
  t.is(layers.length, config.layers);
  for (const shares of layers) {
    for (const part of ['segment', 'memory', 'compressedMemory'] as const) {
      t.true(Math.abs(shares[part] - expected[part]) < 1e-5, `${part}: ${shares[part]} for ${expected[part]}`);
    }
  }
});
