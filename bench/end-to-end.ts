import {mkdtemp, open, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {FileSink} from '../connectors/file-sink.ts';
import {FileSource} from '../connectors/file-source.ts';
import {LmdbStore} from '../memory-store/lmdb-store.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import {ModelWorker} from '../model/worker/model-worker.ts';
import {EncodeStream} from '../operators/encode-stream.ts';
import {RememberStream} from '../operators/remember-stream.ts';
import {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import {Pipeline} from '../pipeline/pipeline.ts';
import {benchCells} from './bench-cell.ts';
import {formatTable} from './format-table.ts';
import {median} from './median.ts';
import {readProgram} from './read-program.ts';

const {values} = readProgram({
  command: 'npm run bench:end-to-end',
  about: `Measures what reading, tokenising, storing and writing add to the steps of one document. A long book may be read in parts, by
--start and --bytes.`,
  options: {
    file: {
      kind: 'text',
      default: 'examples/data/frankenstein.txt',
      value: 'path',
      about: 'a text, each byte of it a token',
    },
    start: {kind: 'number', default: 0, least: 0, value: 'byte', about: 'where to begin'},
    bytes: {kind: 'number', default: 65_536, value: 'number', about: 'bytes to read'},
    rounds: {
      kind: 'number',
      default: 3,
      value: 'number',
      about: 'turns with and without the rest; medians are printed',
    },
  },
});
const config = {...benchCells.find(({name}) => name === 'B1')!.config, vocabularySize: 256};
const text = Buffer.alloc(values.bytes);
await using book = await open(values.file);
const {bytesRead} = await book.read(text, 0, text.length, values.start);
// Whole segments, so that both read the same tokens in the same steps.
const content = text.subarray(0, bytesRead - (bytesRead % config.segmentLength));

await using model = await ModelWorker.start(
  {name: 'bench', fingerprint: '0'.repeat(16), config, weights: initialiseWeights(config, 1)},
  {engine: 'native'},
);
const folder = await mkdtemp(join(tmpdir(), 'palimpsest-bench-'));
try {
  const input = join(folder, 'book.txt');
  await writeFile(input, content);
  const alone: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < values.rounds; round++) {
    alone.push(content.length / (await stepAlone()));
    whole.push(content.length / (await readBook(input, round)));
  }
  console.log(
    `${content.length} bytes of ${values.file} from ${values.start} on, each a token; configuration B; ${model.engine.description}\n`,
  );
  const rows = [
    ['engine alone', Math.round(median(alone)).toString()],
    ['file, tokens, memory store and output included', Math.round(median(whole)).toString()],
  ];
  console.log(formatTable(['what', '>tokens/s'], rows));
  console.log(`\nEnd to end is ${(median(whole) / median(alone)).toFixed(3)} times the engine alone`);
} finally {
  await rm(folder, {recursive: true});
}

async function stepAlone(): Promise<number> {
  const started = performance.now();
  for (let start = 0; start < content.length; start += config.segmentLength) {
    const tokens = Int32Array.from(content.subarray(start, start + config.segmentLength));
    await model.step([{memory: 'alone', tokens}]);
  }
  const seconds = (performance.now() - started) / 1000;
  await model.release(['alone']);
  return seconds;
}

async function readBook(input: string, round: number): Promise<number> {
  await using store = await LmdbStore.open(join(folder, `store-${round}`));
  await using source = new FileSource({inputs: [input]});
  await using sink = new FileSink(join(folder, 'embeddings.jsonl'));
  const checkpoints = new CheckpointSchedule({bytes: 16_384});
  const started = performance.now();
  await Pipeline.from(source)
    .through(() => new RememberStream({model, store, tokenizer: new ByteTokenizer(), every: 'segment', checkpoints}))
    .through(() => new EncodeStream())
    .to(sink, {checkpoints});
  const seconds = (performance.now() - started) / 1000;
  await model.release([input]);
  return seconds;
}
