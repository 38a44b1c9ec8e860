import {writeFile} from 'node:fs/promises';
import {availableParallelism, cpus} from 'node:os';
import {benchCells} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import {formatRows} from './format-rows.ts';
import {hasBfloat16} from './has-bfloat16.ts';
import {measureContenders} from './measure-contenders.ts';
import {openPeers} from './open-peers.ts';
import {readProgram} from './read-program.ts';
import {trainingFlopsPerToken} from './training-flops-per-token.ts';

const {values} = readProgram({
  command: 'npm run bench:training',
  about: `Measures training steps of configuration B, batch 16, beside the same steps in plain PyTorch, in float32 and in bfloat16 (PyTorch
by autocast): forward, backward, clipping and Adam, by the language-modelling loss and attention reconstruction.`,
  options: {
    rounds: {kind: 'number', default: 5, value: 'number', about: 'turns of each contender; medians are printed'},
    json: {kind: 'text', value: 'file', about: 'also write the rows to a file'},
  },
});
const cell = benchCells.find(({name}) => name === 'B16')!;
const all: readonly Contender[] = [
  {name: 'palimpsest', precision: 'float32', language: 'node', program: 'contenders/palimpsest-training.js'},
  {name: 'palimpsest', precision: 'bfloat16', language: 'node', program: 'contenders/palimpsest-training.js'},
  {name: 'pytorch', precision: 'float32', language: 'python', program: 'peers/pytorch_training_peer.py'},
  {name: 'pytorch', precision: 'bfloat16', language: 'python', program: 'peers/pytorch_training_peer.py'},
];
const contenders = all.filter(({precision}) => precision === 'float32' || hasBfloat16());
const threads = availableParallelism();

console.log(
  `${cpus()[0]?.model.trim() ?? 'Unknown processor'}; all ${threads} threads for each; ${values.rounds} rounds\n`,
);
const python = await openPeers('check_pytorch_training_peer.py');
const {rows} = await measureContenders(cell, {
  contenders,
  python,
  threads,
  rounds: values.rounds,
  flopsOf: trainingFlopsPerToken,
});
const plain = rows.find(({contender}) => contender === 'pytorch')!.tokensPerSecond;
const ratios = rows
  .filter(({contender}) => contender === 'palimpsest')
  .map(({precision, tokensPerSecond}) => `${(tokensPerSecond / plain).toFixed(2)} times in ${precision}`);
console.log(`${formatRows(rows)}\n\nTraining beside PyTorch in float32: ${ratios.join(', ')}`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
