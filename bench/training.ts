import {writeFile} from 'node:fs/promises';
import {availableParallelism, cpus} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {cacheFolder} from '../model/engine/cache-folder.ts';
import {runCommand} from '../model/engine/run-command.ts';
import {benchCells} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import type {ContenderProcess} from './contender-process.ts';
import {formatRows} from './format-rows.ts';
import {hasBfloat16} from './has-bfloat16.ts';
import {measureCell, type RunningContender} from './measure-cell.ts';
import {pythonEnvironment} from './python-environment.ts';
import {startContender} from './start-contender.ts';
import {trainingFlopsPerToken} from './training-flops-per-token.ts';

// Training steps of configuration B, batch 16, beside the same steps in plain PyTorch, in float32 and in bfloat16 (PyTorch by autocast): forward,
// backward, clipping and Adam, by the language-modelling loss and attention reconstruction.

const {values} = parseArgs({options: {rounds: {type: 'string', default: '5'}, json: {type: 'string'}}});
const cell = benchCells.find(({name}) => name === 'B16')!;
const all: readonly Contender[] = [
  {name: 'palimpsest', precision: 'float32', language: 'node', program: 'contenders/palimpsest-training.js'},
  {name: 'palimpsest', precision: 'bfloat16', language: 'node', program: 'contenders/palimpsest-training.js'},
  {name: 'pytorch', precision: 'float32', language: 'python', program: 'peers/pytorch_training_peer.py'},
  {name: 'pytorch', precision: 'bfloat16', language: 'python', program: 'peers/pytorch_training_peer.py'},
];
const contenders = all.filter(({precision}) => precision === 'float32' || hasBfloat16());
const peers = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const threads = availableParallelism();

console.log(
  `${cpus()[0]?.model.trim() ?? 'Unknown processor'}; all ${threads} threads for each; ${values.rounds} rounds\n`,
);
const python = await pythonEnvironment({
  requirements: join(peers, 'requirements.txt'),
  cache: cacheFolder(),
  onBuild: folder => console.error(`Making the Python environment of the peers in ${folder}; this takes minutes`),
});
const check = join(peers, 'check_pytorch_training_peer.py');
console.log(`pytorch: ${(await runCommand([python, check], {env: {CUDA_VISIBLE_DEVICES: ''}})).trim()}\n`);
const running: (RunningContender & {process: ContenderProcess})[] = [];
try {
  for (const contender of contenders) {
    running.push({contender, process: await startContender(contender, {cell, python, threads})});
  }
  const rows = await measureCell(cell, {running, rounds: Number(values.rounds), flopsOf: trainingFlopsPerToken});
  const plain = rows.find(({contender}) => contender === 'pytorch')!.tokensPerSecond;
  const ratios = rows
    .filter(({contender}) => contender === 'palimpsest')
    .map(({precision, tokensPerSecond}) => `${(tokensPerSecond / plain).toFixed(2)} times in ${precision}`);
  console.log(`${formatRows(rows)}\n\nTraining beside PyTorch in float32: ${ratios.join(', ')}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
} finally {
  for (const {process} of running) await process[Symbol.asyncDispose]();
}
