import {mkdtemp, rm} from 'node:fs/promises';
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
import {writeRandomWords} from './write-random-words.ts';

readProgram({
  command: 'npm run bench:checkpoints',
  about: 'Measures what checkpoints of many open documents cost, and how long it takes to open one that is stored.',
  options: {},
});

const documents = 64;
const bytesEach = 2048;
const rounds = 3;
const {config, batch} = benchCells.find(({name}) => name === 'B16')!;
const total = documents * bytesEach;

await using model = await ModelWorker.start(
  {name: 'bench', fingerprint: '0'.repeat(16), config, weights: initialiseWeights(config, 1)},
  {engine: 'native'},
);
const folder = await mkdtemp(join(tmpdir(), 'palimpsest-bench-'));
try {
  const inputs = Array.from({length: documents}, (_, index) => join(folder, `document-${index}.txt`));
  for (const input of inputs) await writeRandomWords(input, bytesEach);
  // The final barrier is always there: "rarely" has that one alone, "often" one after each quarter.
  const schedules = {rarely: 2 * total, often: total / 4};
  const seconds: Record<keyof typeof schedules, number[]> = {rarely: [], often: []};
  for (let round = 0; round < rounds; round++) {
    for (const name of ['rarely', 'often'] as const) seconds[name].push(await read(inputs, schedules[name], round));
  }
  const rarely = median(seconds.rarely);
  const often = median(seconds.often);
  const stall = (often - rarely) / 3;
  const interval = (rarely / total) * new CheckpointSchedule().bytes;
  console.log(`${documents} open documents, configuration B, batch ${batch}; ${model.engine.description}\n`);
  console.log(
    formatTable(
      ['what', '>seconds'],
      [
        [`reading ${total} tokens`, rarely.toFixed(2)],
        ['the same with three more checkpoints', often.toFixed(2)],
        ['one checkpoint', stall.toFixed(3)],
        ['time between two checkpoints by default', interval.toFixed(1)],
      ],
    ),
  );
  console.log(`\nCheckpoints take ${((100 * stall) / interval).toFixed(2)} % of the time`);
  await measureOpening();
} finally {
  await rm(folder, {recursive: true});
}

async function read(inputs: readonly string[], bytes: number, round: number): Promise<number> {
  await using store = await LmdbStore.open(join(folder, `store-${bytes}-${round}`));
  await using source = new FileSource({inputs, concurrency: documents, chunkBytes: 1024});
  await using sink = new FileSink(join(folder, 'embeddings.jsonl'));
  const checkpoints = new CheckpointSchedule({bytes});
  const started = performance.now();
  await Pipeline.from(source)
    .through(() => new RememberStream({model, store, tokenizer: new ByteTokenizer(), batch, checkpoints}))
    .through(() => new EncodeStream())
    .to(sink, {checkpoints});
  const seconds = (performance.now() - started) / 1000;
  await model.release(inputs);
  return seconds;
}

async function measureOpening(): Promise<void> {
  await using store = await LmdbStore.open(join(folder, `store-${2 * total}-0`));
  const tokens = new Int32Array(config.segmentLength).fill(97);
  const parts = {
    'reading the record': [] as number[],
    'moving it to the model and projecting it': [] as number[],
    'the first step of the opened document': [] as number[],
    'its next step': [] as number[],
  };
  const beyond: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    for await (const id of store.keys()) {
      const times = [performance.now()];
      const {memory} = (await store.get(id))!;
      times.push(performance.now());
      await model.restore(id, memory);
      times.push(performance.now());
      for (let step = 0; step < 2; step++) {
        await model.step([{memory: id, tokens}]);
        times.push(performance.now());
      }
      const took = times.slice(1).map((time, index) => time - times[index]!);
      for (const [index, part] of Object.values(parts).entries()) part.push(took[index]!);
      const [reading, restoring, first, next] = took as [number, number, number, number];
      beyond.push(reading + restoring + first - next);
      await model.release([id]);
      bytes = (await store.storedBytes(id))!;
    }
  }
  console.log(`\nOpening a stored document of ${(bytes / 1e6).toFixed(1)} MB, medians of ${beyond.length}\n`);
  const rows = [...Object.entries(parts), ['opening it, beyond the step', beyond] as const].map(([what, times]) => [
    what,
    median([...times]).toFixed(1),
  ]);
  console.log(formatTable(['what', '>milliseconds'], rows));
}
