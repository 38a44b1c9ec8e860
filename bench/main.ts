import {writeFile} from 'node:fs/promises';
import {availableParallelism, cpus, loadavg} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {cacheFolder} from '../model/engine/cache-folder.ts';
import {runCommand} from '../model/engine/run-command.ts';
import {type BenchOptions, benchHelp, parseBenchOptions} from './bench-options.ts';
import type {ContenderProcess} from './contender-process.ts';
import {formatRows} from './format-rows.ts';
import {hasBfloat16} from './has-bfloat16.ts';
import {type BenchRow, measureCell, type RunningContender} from './measure-cell.ts';
import {pythonEnvironment} from './python-environment.ts';
import {startContender} from './start-contender.ts';

const peers = fileURLToPath(new URL('../../bench/peers/', import.meta.url));

try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) console.log(benchHelp);
  else await bench(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function bench({cells, contenders: wanted, rounds, json}: BenchOptions): Promise<void> {
  const threads = availableParallelism();
  console.log(`${cpus()[0]?.model.trim() ?? 'Unknown processor'}; all ${threads} threads for each; ${rounds} rounds\n`);
  const contenders = wanted.filter(({name, precision}) => {
    const able = name !== 'palimpsest' || precision === 'float32' || hasBfloat16();
    if (!able) console.log('Without palimpsest in bfloat16: this processor has no AVX512-BF16\n');
    return able;
  });
  // A program that waits for its threads by spinning, as PyTorch does, loses more than its share on a busy machine.
  const load = loadavg()[0]!;
  if (load > threads / 2) {
    console.log(
      `Load average is ${load.toFixed(1)}: what else runs distorts the comparison, repeat it on an idle machine\n`,
    );
  }
  const python = contenders.some(({language}) => language === 'python') ? await openPeers() : '';
  const rows: BenchRow[] = [];
  const descriptions = new Set<string>();
  for (const cell of cells) {
    const running: (RunningContender & {process: ContenderProcess})[] = [];
    try {
      for (const contender of contenders) {
        console.error(`${cell.name}: starting ${contender.name} ${contender.precision}`);
        running.push({contender, process: await startContender(contender, {cell, python, threads})});
      }
      console.error(`${cell.name}: measuring`);
      rows.push(...(await measureCell(cell, {running, rounds})));
      for (const {contender, process} of running) descriptions.add(`${contender.name}: ${process.description}`);
    } finally {
      for (const {process} of running) await process[Symbol.asyncDispose]();
    }
  }
  console.log(`${formatRows(rows)}\n\n${[...descriptions].join('\n')}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

/** Prepares the peers, and makes sure that ours in PyTorch computes the same model. */
async function openPeers(): Promise<string> {
  const python = await pythonEnvironment({
    requirements: join(peers, 'requirements.txt'),
    cache: cacheFolder(),
    onBuild: folder => console.error(`Making the Python environment of the peers in ${folder}; this takes minutes`),
  });
  const result = await runCommand([python, join(peers, 'check_pytorch_peer.py')], {env: {CUDA_VISIBLE_DEVICES: ''}});
  console.log(`pytorch: ${result.trim()}\n`);
  return python;
}
