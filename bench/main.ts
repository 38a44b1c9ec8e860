import {writeFile} from 'node:fs/promises';
import {availableParallelism, cpus, loadavg} from 'node:os';
import {type BenchOptions, parseBenchOptions} from './bench-options.ts';
import {formatRows} from './format-rows.ts';
import {hasBfloat16} from './has-bfloat16.ts';
import type {BenchRow} from './measure-cell.ts';
import {measureContenders} from './measure-contenders.ts';
import {openPeers} from './open-peers.ts';

try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help !== undefined) console.log(options.help);
  else await bench(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function bench({cells, contenders: wanted, rounds, json}: BenchOptions): Promise<void> {
  const threads = availableParallelism();
  console.log(`${cpus()[0]?.model.trim() ?? 'Unknown processor'}; all ${threads} threads for each; ${rounds} rounds\n`);
  // PyTorch emulates what the processor lacks, and takes minutes for a step that we refuse.
  const contenders = wanted.filter(({precision}) => precision === 'float32' || hasBfloat16());
  if (contenders.length < wanted.length) console.log('Without bfloat16: this processor has no AVX512-BF16\n');
  // A program that waits for its threads by spinning, as PyTorch does, loses more than its share on a busy machine.
  const load = loadavg()[0]!;
  if (load > threads / 2) {
    console.log(
      `Load average is ${load.toFixed(1)}: what else runs distorts the comparison, repeat it on an idle machine\n`,
    );
  }
  const python = contenders.some(({language}) => language === 'python') ? await openPeers('check_pytorch_peer.py') : '';
  const rows: BenchRow[] = [];
  const descriptions = new Set<string>();
  for (const cell of cells) {
    const measured = await measureContenders(cell, {contenders, python, threads, rounds});
    rows.push(...measured.rows);
    for (const description of measured.descriptions) descriptions.add(description);
  }
  console.log(`${formatRows(rows)}\n\n${[...descriptions].join('\n')}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(rows, undefined, 2)}\n`);
}
