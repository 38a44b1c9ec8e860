import test from 'ava';
import {DecodeError, MemoryMismatchError, NumericalError} from '../../errors.ts';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {LexicalCounts} from '../../model/lexical/lexical-counts.ts';
import {LocalModel} from '../../model/local-model.ts';
import {ByteTokenizer} from '../../model/tokenizer/byte-tokenizer.ts';
import type {Embedding} from '../../operators/embedding.ts';
import {RememberStream} from '../../operators/remember-stream.ts';
import type {RememberStreamOptions} from '../../operators/remember-stream-options.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {OperatorDriver} from '../driver/operator-driver.ts';
import {ToyModel} from '../integration/toy-model.ts';
import {smallConfig, smallModel, smallModelOptions} from '../model/small-model.ts';
import {randomSummaryHead} from '../model/summary/random-summary-head.ts';
import {seededRandom} from './seeded-random.ts';

const tokenizer = new ByteTokenizer();
const n = smallConfig.segmentLength;

test.before(async () => {
  await openEngine('native');
});

/** Text that never repeats, with characters of one to four bytes. */
function text(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const letters = [...'etaoin shrdluéü漢字😀\n'];
  let built = '';
  while (built.length < length) built += letters[Math.floor(random() * letters.length)];
  return new TextEncoder().encode(built);
}

/** Cuts a document into records, as a file source would: each record's offset is that of its last byte. */
function records(key: string, content: Uint8Array, chunkBytes: number): StreamRecord<DocumentChunk>[] {
  const result: StreamRecord<DocumentChunk>[] = [];
  for (let start = 0; start < content.length; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, content.length);
    result.push({
      key,
      value: {content: content.subarray(start, end), last: end === content.length},
      position: {partition: `file:${key}`, offset: BigInt(end - 1)},
      timestamp: start,
    });
  }
  return result;
}

/** One chunk of each document in turn. */
function interleaved(documents: readonly StreamRecord<DocumentChunk>[][]): StreamRecord<DocumentChunk>[] {
  const longest = Math.max(...documents.map(({length}) => length));
  return Array.from({length: longest}, (_, i) => documents.flatMap(document => document[i] ?? [])).flat();
}

type Driver = OperatorDriver<DocumentChunk, Embedding>;

/** A remembering operator over a real model; `options` replaces what is not tested. */
function driver(options: Partial<RememberStreamOptions> & Pick<RememberStreamOptions, 'model'>): Driver {
  return new OperatorDriver(
    () => new RememberStream({store: new InMemoryStore(), tokenizer, every: 'segment', ...options}),
  );
}

/** Everything that one undisturbed run gives. */
async function run(input: readonly StreamRecord<DocumentChunk>[], options: Partial<RememberStreamOptions> = {}) {
  await using model = smallModel();
  await using reading = driver({model, ...options});
  await reading.push(...input);
  await reading.end();
  return values(reading.outputs);
}

function values(outputs: readonly StreamRecord<Embedding>[]): Embedding[] {
  return outputs.map(({value}) => value);
}

function byDocument(embeddings: readonly Embedding[]): Embedding[] {
  return [...embeddings].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

test.serial('RememberStream emits one embedding for each segment and one for the document', async t => {
  const content = text(100, 1);
  const embeddings = await run(records('a', content, 64));
  t.is(embeddings.length, Math.ceil(content.length / n) + 1);
  const whole = embeddings.at(-1)!;
  t.true(whole.final);
  t.is(whole.tokens, content.length);
  t.is(whole.segments, embeddings.length - 1);
  t.deepEqual(whole.model, {name: 'small', fingerprint: '0123456789abcdef'});
  for (const {vector, bitsPerByte} of embeddings) {
    t.true(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
    t.true(bitsPerByte > 0);
  }
  t.deepEqual(
    embeddings.map(({final}) => final),
    embeddings.map((_, i) => i === embeddings.length - 1),
  );
  t.deepEqual(await run(records('a', content, 64), {every: 'document'}), [whole]);
});

test.serial('RememberStream gives the token-weighted mean of hidden vectors and the mean surprisal', async t => {
  const content = text(60, 2);
  const whole = (await run(records('a', content, 64), {every: 'document'}))[0]!;
  await using model = smallModel();
  const sum = new Float64Array(smallConfig.modelWidth);
  let bits = 0;
  for (let start = 0; start < content.length; start += n) {
    const [result] = await model.step([{memory: 'x', tokens: Int32Array.from(content.subarray(start, start + n))}]);
    for (const [i, value] of result!.hiddenSum.entries()) sum[i]! += value;
    for (const value of result!.surprisal) bits += value;
  }
  const norm = Math.hypot(...sum);
  for (const [i, value] of whole.vector.entries()) t.true(Math.abs(value - sum[i]! / norm) < 1e-6);
  t.true(Math.abs(whole.bitsPerByte - bits / content.length) < 1e-9);
});

test.serial('RememberStream gives the same however a document is cut into records', async t => {
  const content = text(150, 3);
  const whole = await run(records('a', content, content.length));
  for (const chunkBytes of [1, 7, n, 61]) t.deepEqual(await run(records('a', content, chunkBytes)), whole);
});

test.serial('RememberStream gives the same bits for documents read in one batch or one by one', async t => {
  const documents = [400, 90, 230, 15].map((length, i) => records(`document ${i}`, text(length, i), 40));
  const alone = (await Promise.all(documents.map(document => run(document)))).flat();
  for (const batch of [1, 2, 3, 8]) {
    const together = await run(interleaved(documents), {batch});
    t.deepEqual(byDocument(together), byDocument(alone), `batch ${batch}`);
  }
});

test.serial('RememberStream continued from any barrier gives what an uninterrupted run gives, to the bit', async t => {
  const documents = [300, 180, 90].map((length, i) => records(`document ${i}`, text(length, 10 + i), 23));
  const input = interleaved(documents);
  const whole = await run(input, {batch: 3});
  for (let cut = 1; cut < input.length; cut += 4) {
    const store = new InMemoryStore();
    await using model = smallModel();
    await using first = driver({model, store, batch: 3});
    await first.push(...input.slice(0, cut));
    await first.barrier();
    const before = values(first.outputs);
    // Read on, but never committed: a crash loses this.
    await first.push(...input.slice(cut, cut + 2));
    await first.abort(new Error('crash'));

    await using restarted = smallModel();
    await using second = driver({model: restarted, store, batch: 3});
    await second.push(...input.slice(cut));
    await second.end();
    t.deepEqual(byDocument([...before, ...values(second.outputs)]), byDocument(whole), `cut at record ${cut}`);
  }
});

test.serial(
  'RememberStream continued with sizes that processors pad gives the same bits, barrier by barrier',
  async t => {
    // Odd sizes make a row's last bits depend on its place in the batch: the batches themselves have to be the same.
    const sizes = {
      segmentLength: 15,
      modelWidth: 34,
      feedForwardWidth: 51,
      memoryLength: 20,
      compressedMemoryLength: 9,
    };
    const documents = [310, 170, 260, 95].map((length, i) => records(`document ${i}`, text(length, 30 + i), 27));
    const input = interleaved(documents);
    const every = 6;
    const readOn = async (reading: Driver, from: number) => {
      for (let start = from; start < input.length; start += every) {
        await reading.push(...input.slice(start, start + every));
        await reading.barrier();
      }
      return values(reading.outputs);
    };
    await using model = smallModel(sizes);
    await using undisturbed = driver({model, batch: 3});
    const whole = await readOn(undisturbed, 0);
    for (let cut = every; cut < input.length; cut += 2 * every) {
      const store = new InMemoryStore();
      await using interrupted = smallModel(sizes);
      await using first = driver({model: interrupted, store, batch: 3});
      for (let start = 0; start < cut; start += every) {
        await first.push(...input.slice(start, start + every));
        await first.barrier();
      }
      await using restarted = smallModel(sizes);
      await using second = driver({model: restarted, store, batch: 3});
      t.deepEqual([...values(first.outputs), ...(await readOn(second, cut))], whole, `cut at record ${cut}`);
    }
  },
);

test.serial('RememberStream reads nothing twice when records are delivered again', async t => {
  const input = records('a', text(200, 4), 20);
  const whole = await run(input);
  const store = new InMemoryStore();
  await using model = smallModel();
  await using first = driver({model, store});
  await first.push(...input.slice(0, 5), ...input.slice(2, 5));
  await first.barrier();
  await using second = driver({model, store});
  await second.push(...input);
  t.deepEqual([...values(first.outputs), ...values(second.outputs)], whole);
});

test.serial('RememberStream keeps a memory as if a document had not ended, so that it can grow', async t => {
  for (const length of [0, 5, n - 1, n, n + 3, 100]) {
    const content = text(200, 5);
    const whole = await run(records('a', content, content.length));
    const store = new InMemoryStore();
    await using model = smallModel();
    await using reading = driver({model, store});
    const cut = content.subarray(0, length);
    const partition = {partition: 'file:a'};
    await reading.push({
      key: 'a',
      value: {content: cut, last: true},
      position: {...partition, offset: 10n},
      timestamp: 0,
    });
    await reading.barrier();
    const early = values(reading.outputs);
    t.is(early.at(-1)?.tokens ?? 0, tokenizer.push(new Uint8Array(0), cut, true).ids.length);
    await reading.push({
      key: 'a',
      value: {content: content.subarray(length), last: true},
      position: {...partition, offset: 300n},
      timestamp: 1,
    });
    await reading.end();
    t.deepEqual(values(reading.outputs).at(-1), whole.at(-1), `ended first after ${length} bytes`);
  }
});

test.serial('RememberStream gives the same when memories do not fit and are closed at checkpoints', async t => {
  const documents = [200, 220, 180, 240].map((length, i) => records(`document ${i}`, text(length, 20 + i), 30));
  const input = interleaved(documents);
  const whole = await run(input);
  const store = new InMemoryStore();
  await using model = smallModel();
  const checkpoints = new CheckpointSchedule();
  await using reading = driver({model, store, openMemoryBytes: model.memoryBytes, checkpoints});
  let asked = 0;
  for (const record of input) {
    await reading.push(record);
    if (!checkpoints.due) continue;
    asked++;
    checkpoints.reset();
    await reading.barrier();
  }
  await reading.end();
  t.true(asked > 5);
  t.deepEqual(values(reading.outputs), whole);
});

test.serial('RememberStream stores what it holds back of a character and of a segment', async t => {
  const store = new InMemoryStore();
  await using model = smallModel();
  await using reading = driver({model, store});
  const content = new TextEncoder().encode('twenty bytes of text 😀').subarray(0, 23);
  await reading.push({key: 'a', value: {content, last: false}, position: {partition: 'p', offset: 22n}, timestamp: 9});
  await reading.barrier();
  const record = (await store.get('a'))!;
  t.is(record.segments, 1);
  t.deepEqual([...record.carry], [...content.subarray(21)]);
  t.is(new TextDecoder().decode(Uint8Array.from(record.pendingTokens)), 'text ');
  t.deepEqual(record.position, {partition: 'p', offset: 22n});
  t.is(record.timestamp, 9);
  t.is(record.memory.memoryCount, n);
  t.is(record.summary.tokens, n);
});

test.serial('RememberStream stores a memory once, though barriers follow before it is stored', async t => {
  await using model = smallModel();
  const store = new InMemoryStore();
  const commit = store.commit.bind(store);
  const stored: string[][] = [];
  store.commit = async (changes, progress) => {
    const ids: string[] = [];
    async function* noted() {
      for await (const change of changes) {
        ids.push(change[0]);
        yield change;
      }
    }
    await commit(noted(), progress);
    stored.push(ids);
  };
  const {readable, writable} = new RememberStream({model, store, tokenizer, every: 'segment'});
  const writer = writable.getWriter();
  const [a, b] = ['a', 'b'].map((key, i) => records(key, text(5 * n, i), n));
  const barriers = [0n, 1n, 2n].map(nextOffset => new Checkpoint(new Map([['file', {nextOffset, ended: false}]])));
  const elements = [a![0]!, barriers[0]!, barriers[1]!, a![1]!, b![0]!, barriers[2]!];
  const written = Promise.all(elements.map(element => writer.write(element))).then(() => writer.close());
  for await (const _ of readable);
  await written;
  for (const barrier of barriers) await barrier.commit();
  t.deepEqual(stored, [['a'], [], ['a', 'b']]);
  t.is((await store.get('a'))!.position.offset, a![1]!.position.offset);
});

test.serial('RememberStream emits nothing for a document without text, and counts it', async t => {
  await using model = smallModel();
  const stream = new RememberStream({model, store: new InMemoryStore(), tokenizer});
  await using reading = new OperatorDriver(() => stream);
  const position = {partition: 'p', offset: 0n};
  await reading.push({key: 'empty', value: {content: new Uint8Array(0), last: true}, position, timestamp: 0});
  await reading.end();
  t.deepEqual(reading.outputs, []);
  t.is(stream.statistics.emptyDocuments, 1);
});

test.serial('RememberStream refuses a document that another model remembered', async t => {
  const store = new InMemoryStore();
  const input = records('a', text(100, 6), 20);
  await using model = smallModel();
  await using reading = driver({model, store});
  await reading.push(...input.slice(0, 2));
  await reading.barrier();
  await using other = new LocalModel({...smallModelOptions(), fingerprint: 'fedcba9876543210'});
  await using second = driver({model: other, store});
  await t.throwsAsync(second.push(...input.slice(2)), {
    instanceOf: MemoryMismatchError,
    message: /"a".*fedcba9876543210.*0123456789abcdef/,
  });
});

test.serial('RememberStream counts ill-formed UTF-8, or ends the run if it is strict', async t => {
  const content = Uint8Array.of(104, 105, 0xff, 0xfe, 33);
  const input = records('a', content, 100);
  await using model = smallModel();
  const stream = new RememberStream({model, store: new InMemoryStore(), tokenizer});
  await using reading = new OperatorDriver(() => stream);
  await reading.push(...input);
  await reading.end();
  t.is(stream.statistics.replaced, 2);
  t.is(reading.outputs[0]!.value.tokens, 'hi��!'.length + 4);

  await using strict = driver({model, strict: true});
  await t.throwsAsync(strict.push(...input), {instanceOf: DecodeError, message: /"a".*file:a/});
  await using strictAtEnd = driver({model, strict: true});
  await t.throwsAsync(strictAtEnd.push(...records('b', Uint8Array.of(104, 0xf0, 0x9f), 100)), {
    instanceOf: DecodeError,
  });
});

test.serial('RememberStream waits no longer for a batch to fill than it is told to', async t => {
  await using model = smallModel();
  const content = text(5 * n, 8);
  for (const maxWaitMs of [30, Number.POSITIVE_INFINITY]) {
    const stream = new RememberStream({
      model,
      store: new InMemoryStore(),
      tokenizer,
      every: 'segment',
      batch: 8,
      maxWaitMs,
    });
    const reader = stream.readable.getReader();
    const writer = stream.writable.getWriter();
    const started = performance.now();
    const position = {partition: 'p', offset: 0n};
    const writing = writer.write({key: `a ${maxWaitMs}`, value: {content, last: false}, position, timestamp: 0});
    if (Number.isFinite(maxWaitMs)) {
      // All that the one document has comes, though no second one ever does.
      for (let segment = 0; segment < Math.floor(content.length / n); segment++) t.false((await reader.read()).done);
      const waited = performance.now() - started;
      t.true(waited >= maxWaitMs && waited < 10_000, `${waited} ms`);
    } else {
      const nothing = new Promise(resolve => setTimeout(resolve, 300, 'nothing'));
      t.is(await Promise.race([reader.read(), nothing]), 'nothing');
    }
    await writing.catch(() => {});
    await writer.abort();
  }
});

test.serial(
  'RememberStream leaves a long record when its signal is aborted, once the batches under way are read',
  async t => {
    const stopped = new Error('stopped');
    const long = records('long', text(1000 * n, 44), Number.POSITIVE_INFINITY);
    for (const batch of [1, 8]) {
      await using model = smallModel();
      const controller = new AbortController();
      const {signal} = controller;
      let steps = 0;
      const step = model.step.bind(model);
      model.step = async rows => {
        steps++;
        if (steps === 20) controller.abort(stopped);
        return step(rows);
      };
      // A batch of 8 does not fill, so that its segments are read as the record ends.
      await using reading = driver({model, batch, signal});
      const read = async () => {
        await reading.push(...long);
        await reading.end();
      };
      await t.throwsAsync(read, {is: stopped});
      t.true(steps <= 23, `${steps} steps`);
    }
  },
);

test.serial('RememberStream starts no batch that has waited long enough once its signal is aborted', async t => {
  await using model = smallModel();
  const controller = new AbortController();
  let steps = 0;
  const step = model.step.bind(model);
  model.step = async rows => {
    steps++;
    return step(rows);
  };
  await using reading = driver({model, batch: 8, maxWaitMs: 200, signal: controller.signal});
  await reading.push(...records('waiting', text(2 * n, 45), Number.POSITIVE_INFINITY));
  controller.abort(new Error('stopped'));
  await new Promise(resolve => setTimeout(resolve, 500));
  t.is(steps, 0);
});

test.serial('RememberStream fills batches from a fast source though it may wait for none', async t => {
  await using model = smallModel();
  const sizes: number[] = [];
  const step = model.step.bind(model);
  model.step = async rows => {
    sizes.push(rows.length);
    return step(rows);
  };
  const documents = Array.from({length: 8}, (_, i) => records(`document ${i}`, text(20 * n, 40 + i), 4 * n));
  await using reading = driver({model, batch: 8, maxWaitMs: 1});
  await reading.push(...interleaved(documents));
  await reading.end();
  const full = sizes.filter(size => size === 8).length;
  t.true(full > sizes.length / 2, sizes.join());
});

test.serial('RememberStream gives the same bits and stores the same whenever its batches start', async t => {
  const documents = [300, 180, 90, 200].map((length, i) => records(`document ${i}`, text(length, 10 + i), 23));
  const input = interleaved(documents);
  const random = seededRandom(3);
  for (const sizes of [{}, {segmentLength: 15, modelWidth: 34, feedForwardWidth: 51}, {segmentLength: 8}]) {
    const read = async (maxWaitMs: number) => {
      const store = new InMemoryStore();
      await using model = smallModel(sizes);
      await using reading = driver({model, store, batch: 3, maxWaitMs});
      for (const [index, record] of input.entries()) {
        await reading.push(record);
        if (maxWaitMs === 0 && random() < 0.5) await new Promise(resolve => setTimeout(resolve, 4));
        if (index === 12) await reading.barrier();
      }
      await reading.end();
      const stored = await Promise.all(documents.map((_, i) => store.get(`document ${i}`)));
      return {embeddings: byDocument(values(reading.outputs)), stored};
    };
    t.deepEqual(await read(0), await read(Number.POSITIVE_INFINITY), JSON.stringify(sizes));
  }
});

test.serial('RememberStream reads a short document while a long one still waits', async t => {
  await using model = smallModel();
  const order: string[] = [];
  const stream = new RememberStream({
    model,
    store: new InMemoryStore(),
    tokenizer,
    every: 'segment',
    batch: 2,
    maxWaitMs: 1,
  });
  const reading = (async () => {
    for await (const element of stream.readable) {
      if ('key' in element) order.push(element.key);
    }
  })();
  const writer = stream.writable.getWriter();
  await writer.write(records('long', text(400 * n, 9), 1_000_000)[0]!);
  for (let i = 0; i < 3; i++) await writer.write(records(`short ${i}`, text(2 * n, 50 + i), 1000)[0]!);
  await writer.close();
  await reading;
  const lastShort = order.findLastIndex(key => key.startsWith('short'));
  t.true(lastShort < 60, `${lastShort} of ${order.length}`);
});

test.serial('RememberStream fails with the model, even if no further record comes', async t => {
  const options = smallModelOptions();
  options.weights.get('final_normalisation.gain')!.data.fill(Number.NaN);
  await using model = new LocalModel(options);
  const stream = new RememberStream({model, store: new InMemoryStore(), tokenizer});
  const reader = stream.readable.getReader();
  const writing = stream.writable.getWriter().write(records('a', text(40, 7), 100)[0]!);
  await t.throwsAsync(reader.read(), {instanceOf: NumericalError});
  await writing.catch(() => {});
});

test.serial('RememberStream refuses options out of range', async t => {
  await using model = smallModel();
  const store = new InMemoryStore();
  for (const option of ['batch', 'bufferedTokens', 'openMemoryBytes']) {
    t.throws(() => new RememberStream({model, store, tokenizer, [option]: 0}), {
      instanceOf: RangeError,
      message: `Cannot construct RememberStream as ${option} must be a positive integer: current value is 0`,
    });
  }
  for (const maxWaitMs of [-1, Number.NaN]) {
    t.throws(() => new RememberStream({model, store, tokenizer, maxWaitMs}), {
      instanceOf: RangeError,
      message: `Cannot construct RememberStream as maxWaitMs must be 0 or more: current value is ${maxWaitMs}`,
    });
  }
  await using narrow = smallModel({vocabularySize: 100});
  t.throws(() => new RememberStream({model: narrow, store, tokenizer}), {message: /knows 100 tokens.*has 256/});
});

test('RememberStream forgets a document behind its last result, and begins it anew', async t => {
  await using model = new ToyModel({segmentLength: n});
  const store = new InMemoryStore();
  await using reading = driver({model, store});
  const content = text(3 * n, 1).subarray(0, 2 * n + 3);
  const chunk = (offset: bigint, value: DocumentChunk): StreamRecord<DocumentChunk> => ({
    key: 'a',
    value,
    position: {partition: 'p', offset},
    timestamp: 0,
  });
  const whole = (offset: bigint) => chunk(offset, {content, last: false});
  const tombstone = (offset: bigint) => chunk(offset, {content: new Uint8Array(0), last: true, forget: true});
  const vectors = (outputs: readonly StreamRecord<Embedding>[]) => outputs.map(({value}) => [...value.vector]);

  await reading.push(whole(0n));
  await reading.barrier();
  t.is((await store.get('a'))?.segments, 2);
  await reading.push(tombstone(1n), whole(2n), tombstone(3n));
  await reading.barrier();
  t.is(await store.get('a'), undefined);
  await reading.push(whole(4n));
  await reading.barrier();
  t.is((await store.get('a'))?.segments, 2);
  await reading.push(tombstone(5n));
  await reading.end();
  // Two segments, the tail and the document, three times over and each time the same.
  const all = vectors(reading.outputs.filter(output => !(output instanceof Checkpoint)) as StreamRecord<Embedding>[]);
  t.is(all.length, 12);
  t.deepEqual(all.slice(4, 8), all.slice(0, 4));
  t.deepEqual(all.slice(8), all.slice(0, 4));
});

test('RememberStream does not read what it has forgotten from the store before a commit has removed it', async t => {
  await using model = new ToyModel({segmentLength: n});
  const store = new InMemoryStore();
  await using reading = driver({model, store});
  const content = text(2 * n, 1).subarray(0, n);
  const record = (offset: bigint, forget: boolean): StreamRecord<DocumentChunk> => ({
    key: 'a',
    value: forget ? {content: new Uint8Array(0), last: true, forget} : {content, last: false},
    position: {partition: 'p', offset},
    timestamp: 0,
  });
  await reading.push(record(0n, false));
  await reading.barrier();
  await reading.push(record(1n, true), record(2n, false));
  await reading.barrier();
  t.is((await store.get('a'))?.segments, 1);
  t.is((await store.get('a'))?.position.offset, 2n);
});

const headed = () => new LocalModel({...smallModelOptions(), summary: randomSummaryHead()});

test.serial(
  'RememberStream makes document vectors by the summary head of the model, and segment vectors without',
  async t => {
    const content = text(333, 40);
    await using model = headed();
    await using reading = driver({model});
    await reading.push(...records('a', content, 50));
    await reading.end();
    const [last, ...segments] = values(reading.outputs).reverse();
    for (const {vector, parts} of segments) {
      t.is(vector.length, smallConfig.modelWidth);
      t.is(parts, undefined);
    }
    t.deepEqual(last!.parts, {lexical: 5, sketch: 6, transformer: 3});

    // The same by hand: segment by segment, and the tail beyond what the memory keeps.
    const counts = new LexicalCounts(model.summary!.sizes);
    counts.add(Int32Array.from(content));
    const hiddenSum = new Float64Array(smallConfig.modelWidth);
    await using other = smallModel();
    for (let start = 0; start < content.length; start += n) {
      const tokens = Int32Array.from(content.subarray(start, start + n));
      const [result] = await other.step([{memory: 'a', tokens}]);
      for (const [j, value] of result!.hiddenSum.entries()) hiddenSum[j]! += value;
    }
    const [compressedMeans] = await other.meanCompressed(['a']);
    t.is(compressedMeans!.length, smallConfig.layers * smallConfig.modelWidth);
    t.deepEqual(last!.vector, model.summary!.embed({hiddenSum, compressedMeans: compressedMeans!, counts}));
  },
);

test.serial('RememberStream counts tokens the same when it is resumed anywhere, in whatever batch', async t => {
  const documents = [150, 5, 400].map((length, i) => records(`document ${i}`, text(length, 60 + i), 40));
  const input = interleaved(documents);
  const wholeStore = new InMemoryStore();
  await using model = headed();
  await using whole = driver({model, store: wholeStore, every: 'document', batch: 3});
  await whole.push(...input);
  await whole.barrier();
  await whole.end();
  const expected = byDocument(values(whole.outputs));
  t.is(expected.length, 3);
  for (let cut = 1; cut < input.length; cut += 3) {
    const store = new InMemoryStore();
    const outputs: Embedding[] = [];
    for (const part of [input.slice(0, cut), input]) {
      await using fresh = headed();
      await using reading = driver({model: fresh, store, every: 'document', batch: 2});
      await reading.push(...part);
      await reading.barrier();
      await reading.end();
      outputs.push(...values(reading.outputs));
    }
    t.deepEqual(byDocument(outputs), expected, `cut before record ${cut}`);
    for (const {id} of expected) t.deepEqual(await store.get(id), await wholeStore.get(id), `cut before record ${cut}`);
  }
  const {summary, segments} = (await wholeStore.get('document 2'))!;
  t.is(summary.lexicalCounts.length, 256 + 64);
  t.is(
    summary.lexicalCounts.subarray(0, 256).reduce((a, b) => a + b),
    segments * n,
    'the tail is not counted',
  );
});

test.serial('RememberStream keeps no counts without a summary head', async t => {
  const store = new InMemoryStore();
  await using model = smallModel();
  await using reading = driver({model, store});
  await reading.push(...records('a', text(100, 1), 100));
  await reading.barrier();
  const {summary} = (await store.get('a'))!;
  t.is(summary.lexicalCounts.length, 0);
  t.is(summary.lastToken, -1);
});
