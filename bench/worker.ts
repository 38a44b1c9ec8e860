import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {FileSink} from '../connectors/file-sink.ts';
import {FileSource} from '../connectors/file-source.ts';
import {LmdbStore} from '../memory-store/lmdb-store.ts';
import {CompressiveTransformer} from '../model/compressive-transformer.ts';
import {disposeTensors} from '../model/dispose-tensors.ts';
import {openEngine} from '../model/engine/engine.ts';
import {tf} from '../model/tf.ts';
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

const cells = benchCells.map(({name}) => name);
const {values} = readProgram({
  command: 'npm run bench:worker',
  about: 'Measures what the worker adds to the steps of the network, and what a pipeline around it adds to the worker.',
  options: {
    cell: {kind: 'text', default: 'B16', choices: cells, value: 'name', about: `one of ${cells.join(', ')}`},
    segments: {kind: 'number', default: 16, value: 'number', about: 'segments of each document'},
    rounds: {kind: 'number', default: 3, value: 'number', about: 'turns of each; medians are printed'},
  },
});
const cell = benchCells.find(({name}) => name === values.cell)!;
const {batch} = cell;
const config = {...cell.config, vocabularySize: 256};
const n = config.segmentLength;
const {segments} = values;
const tokens = batch * segments * n;

const {description} = await openEngine('native');
using network = new CompressiveTransformer(config, initialiseWeights(config, 1), {compiled: true});
await using worker = await ModelWorker.start(
  {name: 'bench', fingerprint: '0'.repeat(16), config, weights: initialiseWeights(config, 1)},
  {engine: 'native'},
);
const folder = await mkdtemp(join(tmpdir(), 'palimpsest-bench-'));
try {
  const inputs = Array.from({length: batch}, (_, index) => join(folder, `document-${index}.txt`));
  for (const input of inputs) await writeRandomWords(input, segments * n);
  // Compiles.
  stepNetwork(1);
  await stepWorker(1);
  const seconds = {network: [] as number[], worker: [] as number[], pipeline: [] as number[]};
  const idle: number[] = [];
  const delay = monitorEventLoopDelay({resolution: 2});
  for (let round = 0; round < values.rounds; round++) {
    seconds.network.push(stepNetwork(segments));
    seconds.worker.push(await stepWorker(segments));
    delay.enable();
    const read = await readDocuments(inputs, round);
    delay.disable();
    seconds.pipeline.push(read.seconds);
    idle.push(read.idleSeconds / read.seconds);
  }
  const row = (what: string, taken: readonly number[], beside: readonly number[]) => [
    what,
    Math.round(tokens / median(taken)).toString(),
    `${(100 * (median(taken.map((value, round) => value / beside[round]!)) - 1)).toFixed(1)} %`,
  ];
  console.log(`${cell.name}, ${batch} documents of ${segments} segments of ${n} tokens; ${description}\n`);
  console.log(
    formatTable(
      ['what', '>tokens/s', '>adds'],
      [
        row('steps of the network', seconds.network, seconds.network),
        row('in the worker', seconds.worker, seconds.network),
        row('from files, with memory store and output', seconds.pipeline, seconds.worker),
      ],
    ),
  );
  console.log(
    `\nOf the pipeline's time, ${(100 * median(idle)).toFixed(1)} % pass without a step that the worker could run; ` +
      `delay of the main thread's event loop at the 99th percentile ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  );
} finally {
  await rm(folder, {recursive: true});
}

function stepNetwork(count: number): number {
  const started = performance.now();
  let memory = network.emptyMemory(batch);
  for (let step = 0; step < count; step++) {
    const ids = tf.fill([batch, n], (97 + step) % 256, 'int32') as tf.Tensor2D;
    const {hidden, surprisal, memory: after} = network.step(ids, memory);
    surprisal.dataSync();
    disposeTensors([ids, hidden, surprisal]);
    disposeTensors(memory);
    memory = after!;
  }
  disposeTensors(memory);
  return (performance.now() - started) / 1000;
}

async function stepWorker(count: number): Promise<number> {
  const started = performance.now();
  const keys = Array.from({length: batch}, (_, index) => `alone ${index}`);
  const under: Promise<unknown>[] = [];
  for (let step = 0; step < count; step++) {
    under.push(worker.step(keys.map(memory => ({memory, tokens: new Int32Array(n).fill((97 + step) % 256)}))));
    if (under.length === 3) await under.shift();
  }
  await Promise.all(under);
  await worker.release(keys);
  return (performance.now() - started) / 1000;
}

async function readDocuments(
  inputs: readonly string[],
  round: number,
): Promise<{seconds: number; idleSeconds: number}> {
  await using store = await LmdbStore.open(join(folder, `store-${round}`));
  await using source = new FileSource({inputs, concurrency: batch, chunkBytes: 1024});
  await using sink = new FileSink(join(folder, 'embeddings.jsonl'));
  const started = performance.now();
  let underWay = 0;
  let idleSince = started;
  let idle = 0;
  // A worker that steps what this one steps, and tells when it has nothing to step.
  const model = Object.create(worker, {
    step: {
      value: async (...rows: Parameters<ModelWorker['step']>) => {
        if (underWay++ === 0) idle += performance.now() - idleSince;
        try {
          return await ModelWorker.prototype.step.apply(worker, rows);
        } finally {
          if (--underWay === 0) idleSince = performance.now();
        }
      },
    },
    ...Object.fromEntries(
      (['restore', 'snapshot', 'fork', 'release'] as const).map(name => [name, {value: worker[name].bind(worker)}]),
    ),
  }) as ModelWorker;
  await Pipeline.from(source)
    .through(() => new RememberStream({model, store, tokenizer: new ByteTokenizer(), every: 'segment', batch}))
    .through(() => new EncodeStream())
    .to(sink, {checkpoints: new CheckpointSchedule({bytes: tokens / 2})});
  idle += performance.now() - idleSince;
  const seconds = (performance.now() - started) / 1000;
  await worker.release(inputs);
  return {seconds, idleSeconds: idle / 1000};
}
