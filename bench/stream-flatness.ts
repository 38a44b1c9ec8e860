import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {FileSink} from '../connectors/file-sink.ts';
import {FileSource} from '../connectors/file-source.ts';
import {LmdbStore} from '../memory-store/lmdb-store.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {ByteTokenizer} from '../model/tokenizer/byte-tokenizer.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import {ModelWorker} from '../model/worker/model-worker.ts';
import {EncodeStream} from '../operators/encode-stream.ts';
import {RememberStream} from '../operators/remember-stream.ts';
import {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import {Pipeline} from '../pipeline/pipeline.ts';
import {formatTable} from './format-table.ts';
import {readProgram} from './read-program.ts';
import {type StreamSample, streamPart} from './stream-part.ts';
import {writeRandomWords} from './write-random-words.ts';

// The script that starts it collects garbage every two seconds in both threads: left alone, V8 lets some 50 MiB of it gather, for a minute or
// more, which looks like a leak.

const {values} = readProgram({
  command: 'npm run bench:flatness',
  about: "Measures whether one document's speed and the process's memory stay the same however long the document gets.",
  options: {
    tokens: {kind: 'number', default: 10_000_000, least: 100_000, value: 'number', about: 'tokens of the document'},
  },
});
const {tokens} = values;

// Small, so that ten million tokens take minutes; its memories are full after a few hundred.
const config: ModelConfig = {
  segmentLength: 128,
  memoryLength: 128,
  compressedMemoryLength: 128,
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  heads: 2,
  modelWidth: 64,
  feedForwardWidth: 256,
  vocabularySize: 256,
};
await using model = await ModelWorker.start(
  {name: 'bench', fingerprint: '0'.repeat(16), config, weights: initialiseWeights(config, 1)},
  {engine: 'native'},
);
const folder = await mkdtemp(join(tmpdir(), 'palimpsest-bench-'));
try {
  console.log(`One document of ${tokens} bytes, each a token; 2 layers of width 64; ${model.engine.description}\n`);
  const samples = await readDocument();
  const rows = Array.from({length: 10}, (_, tenth) => {
    const part = streamPart(samples, {from: (tokens * tenth) / 10, to: (tokens * (tenth + 1)) / 10});
    const mebibytes = Math.round(part.residentBytes / 2 ** 20).toString();
    return {...part, cells: [`${tenth + 1}`, Math.round(part.tokensPerSecond).toString(), mebibytes]};
  });
  const cells = rows.map(row => row.cells);
  console.log(formatTable(['>tenth', '>tokens/s', '>resident MiB'], cells));
  const ratio = rows[9]!.tokensPerSecond / rows[1]!.tokensPerSecond;
  console.log(`\nThe last tenth ran at ${ratio.toFixed(3)} times the speed of the second`);
} finally {
  await rm(folder, {recursive: true});
}

async function readDocument(): Promise<StreamSample[]> {
  const input = join(folder, 'document.txt');
  await writeRandomWords(input, tokens);
  await using store = await LmdbStore.open(join(folder, 'store'));
  await using source = new FileSource({inputs: [input]});
  await using sink = new FileSink(join(folder, 'embeddings.jsonl'));
  const checkpoints = new CheckpointSchedule({bytes: 2 ** 20});
  const samples: StreamSample[] = [];
  let remember: RememberStream | undefined;
  const sample = () => {
    const read = remember?.statistics.tokens ?? 0;
    samples.push({seconds: performance.now() / 1000, tokens: read, residentBytes: process.memoryUsage.rss()});
  };
  const sampling = setInterval(sample, 100);
  try {
    await Pipeline.from(source)
      .through(() => {
        remember = new RememberStream({model, store, tokenizer: new ByteTokenizer(), checkpoints});
        return remember;
      })
      .through(() => new EncodeStream())
      .to(sink, {checkpoints});
  } finally {
    clearInterval(sampling);
  }
  sample();
  return samples;
}
