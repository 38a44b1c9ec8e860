import {fileURLToPath} from 'node:url';
import type {BenchCell} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import {ContenderProcess} from './contender-process.ts';

/** Starts a contender for a cell, with full memories and random weights, and waits until it is ready. */
export async function startContender(
  {name, precision, language, program}: Contender,
  {cell, python, threads}: {cell: BenchCell; python: string; threads: number},
): Promise<ContenderProcess> {
  const compiled = fileURLToPath(new URL(program, import.meta.url));
  // Programs in Python are not copied to the folder of compiled ones.
  const source = fileURLToPath(new URL(`../../bench/${program}`, import.meta.url));
  return await ContenderProcess.start({
    name: `${name} ${precision}`,
    command: language === 'node' ? [process.execPath, compiled] : [python, source],
    task: {config: cell.config, batch: cell.batch, precision, threads},
    env: language === 'node' ? process.env : peerEnvironment(threads),
  });
}

/** This process's environment, less what could hold the peers back; on the CPU with all threads. */
function peerEnvironment(threads: number): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OPENBLAS|OMP|GOMP|KMP|MKL)_/.test(name));
  const all = String(threads);
  return {...Object.fromEntries(kept), OMP_NUM_THREADS: all, MKL_NUM_THREADS: all, CUDA_VISIBLE_DEVICES: ''};
}
