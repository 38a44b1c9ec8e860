import {readFileSync} from 'node:fs';
import test from 'ava';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {InMemoryStore} from '../../memory-store/in-memory-store.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {LocalModel} from '../../model/local-model.ts';
import {type ModelDirectory, readModelDirectory} from '../../model/model-directory/read-model-directory.ts';
import type {Precision} from '../../model/precision.ts';
import {shippedModel} from '../../model/shipped-model.ts';
import type {Embedding} from '../../operators/embedding.ts';
import {RememberStream} from '../../operators/remember-stream.ts';
import type {DocumentChunk} from '../../pipeline/document-chunk.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {OperatorDriver} from '../driver/operator-driver.ts';

/** As many bytes as fill memory and compressed memory of the shipped model several times. */
const book = readFileSync(new URL('../../../examples/data/frankenstein.txt', import.meta.url)).subarray(0, 24_000);

const halved = hasBfloat16() ? test.serial : test.serial.skip;

let directory: ModelDirectory;

test.serial.before(async () => {
  await openEngine('native');
  directory = await readModelDirectory(shippedModel);
});

function chunks(from: number, to: number): StreamRecord<DocumentChunk>[] {
  return [
    {
      key: 'book',
      value: {content: book.subarray(from, to), last: to === book.length},
      position: {partition: 'p', offset: BigInt(to - 1)},
      timestamp: 0,
    },
  ];
}

/** Reads the book in parts, each by a model of its own that goes on with what the one before stored. */
async function read(precision: Precision, parts: readonly number[]): Promise<Embedding[]> {
  const store = new InMemoryStore();
  const results: Embedding[] = [];
  let start = 0;
  for (const end of parts) {
    await using model = new LocalModel({...directory, precision});
    const {tokenizer} = directory;
    await using reading = new OperatorDriver(() => new RememberStream({model, store, tokenizer, every: 'segment'}));
    await reading.push(...chunks(start, end));
    if (end === book.length) await reading.end();
    else await reading.barrier();
    results.push(...reading.outputs.map(({value}) => value));
    start = end;
  }
  return results;
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Array.from(x).reduce((sum, value, index) => sum + value * y[index]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

halved(
  'RememberStream with the shipped model in bfloat16 moves bits per byte by less than 0.001 and keeps the vector of a book',
  async t => {
    const [exact, rounded] = [await read('float32', [book.length]), await read('bfloat16', [book.length])];
    t.is(rounded.length, exact.length);
    const [whole, half] = [exact.at(-1)!, rounded.at(-1)!];
    t.true(whole.final && half.final);
    const difference = Math.abs(half.bitsPerByte - whole.bitsPerByte);
    t.true(difference > 0 && difference < 0.001, `bits per byte: ${whole.bitsPerByte} and ${half.bitsPerByte}`);
    const similarity = cosine(half.vector, whole.vector);
    t.true(similarity > 0.9999, `cosine ${similarity}`);
  },
);

halved('RememberStream in bfloat16 continued from a stored memory gives the same bits', async t => {
  const [whole, continued] = [
    await read('bfloat16', [book.length]),
    await read('bfloat16', [7001, 16_001, book.length]),
  ];
  t.deepEqual(continued, whole);
});
