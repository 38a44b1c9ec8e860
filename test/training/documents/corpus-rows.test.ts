import test from 'ava';
import {ByteTokenizer} from '../../../model/tokenizer/byte-tokenizer.ts';
import {openCorpus} from '../../../training/documents/corpus.ts';
import {type CorpusPosition, CorpusRows, type RowSegment} from '../../../training/documents/corpus-rows.ts';
import {sampleText} from '../../cli/sample-text.ts';
import {textDocuments} from '../text-documents.ts';

const texts = [70, 8, 2, 33, 51, 17].map((bytes, index) => sampleText(bytes, index));
const corpus = openCorpus(textDocuments(texts), {gutenberg: false, leastBytes: 2});

async function open(position?: CorpusPosition, seed = 3): Promise<CorpusRows> {
  return await CorpusRows.open({
    corpus: await corpus,
    tokenizer: new ByteTokenizer(),
    rows: 3,
    segmentLength: 8,
    seed,
    position,
  });
}

async function take(rows: CorpusRows, count: number): Promise<RowSegment[][]> {
  const steps: RowSegment[][] = [];
  for (let i = 0; i < count; i++) steps.push(await rows.next());
  return steps;
}

test('CorpusRows reads every document whole and in order, once in each epoch', async t => {
  const rows = await open();
  const readings: {document: string; text: string}[] = [];
  const current: (typeof readings)[number][] = [];
  for (const segments of await take(rows, 40)) {
    for (const [row, segment] of segments.entries()) {
      if (segment.first) {
        current[row] = {document: segment.document, text: ''};
        readings.push(current[row]);
      }
      t.is(segment.document, current[row]!.document);
      t.is(segment.position, current[row]!.text.length);
      current[row]!.text += Buffer.from(segment.tokens).toString('latin1');
    }
  }
  const ended = readings.filter(reading => !current.includes(reading));
  for (const {document, text} of ended) {
    const whole = Buffer.from(texts[Number(document.split(' ')[1])]!).toString('latin1');
    // A last token that would stand alone has no target.
    t.true(text === whole || (text === whole.slice(0, -1) && whole.length % 8 === 1));
  }
  const times = textDocuments(texts).map(({id}) => readings.filter(({document}) => document === id).length);
  t.true(Math.min(...times) >= 2 && Math.max(...times) - Math.min(...times) <= 1, String(times));
});

test('CorpusRows gives the token after each as its target', async t => {
  for (const {document, position, tokens, targets} of (await take(await open(), 20)).flat()) {
    const bytes = Buffer.from(texts[Number(document.split(' ')[1])]!);
    t.deepEqual([...tokens], [...bytes.subarray(position, position + 8)]);
    t.deepEqual([...targets], [...bytes.subarray(position + 1, position + 9)]);
  }
});

test('CorpusRows goes on from any position', async t => {
  const whole = await take(await open(), 30);
  for (const step of [1, 7, 18]) {
    const first = await open();
    await take(first, step);
    const position = JSON.parse(JSON.stringify(first.position)) as CorpusPosition;
    t.deepEqual(await take(await open(position), 30 - step), whole.slice(step));
  }
});

test('CorpusRows shuffles by its seed', async t => {
  const order = async (seed: number) =>
    (await take(await open(undefined, seed), 12))
      .flat()
      .filter(({first}) => first)
      .map(({document}) => document)
      .join();
  t.is(await order(1), await order(1));
  t.not(await order(1), await order(2));
});

test('CorpusRows finds the only document of two tokens wherever two epochs have it', async t => {
  const texts = Array.from({length: 8}, (_, index) => (index === 5 ? 'two' : 'a'));
  const rows = await CorpusRows.open({
    corpus: await openCorpus(textDocuments(texts), {gutenberg: false, leastBytes: 1}),
    tokenizer: new ByteTokenizer(),
    rows: 1,
    segmentLength: 8,
    seed: 1,
  });
  const documents = new Set((await take(rows, 200)).flat().map(({document}) => document));
  t.is(documents.size, 1);
});

test('CorpusRows refuses a corpus of which no document has two tokens', async t => {
  const single = await openCorpus(textDocuments(['a', 'b']), {gutenberg: false, leastBytes: 1});
  const rows = await CorpusRows.open({
    corpus: single,
    tokenizer: new ByteTokenizer(),
    rows: 1,
    segmentLength: 8,
    seed: 1,
  });
  await t.throwsAsync(rows.next(), {message: /a document must give at least 2 tokens: none does/});
});
