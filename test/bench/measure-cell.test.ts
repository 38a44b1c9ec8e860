import test from 'ava';
import {benchCells} from '../../bench/bench-cell.ts';
import {contenders} from '../../bench/contender.ts';
import {flopsPerToken} from '../../bench/flops-per-token.ts';
import {measureCell, type RunningContender} from '../../bench/measure-cell.ts';

/** A contender whose steps and products take the given seconds, one value after the other, the last one for ever. */
function scripted(index: number, {step, product, log}: {step: number[]; product: number[]; log: string[]}) {
  const next = (values: number[]) => (values.length > 1 ? values.shift()! : values[0]!);
  return {
    contender: contenders[index]!,
    process: {
      runSteps: async (steps: number) => {
        log.push(`${index}: ${steps} steps`);
        return steps * next(step);
      },
      multiplyMatrices: async (products: number) => {
        log.push(`${index}: ${products} products`);
        return products * next(product);
      },
    },
  } satisfies RunningContender;
}

test('measureCell gives medians of tokens and operations a second, and the best round', async t => {
  const cell = benchCells.find(({name}) => name === 'B16')!;
  // Warm-up, one step to plan with, then three rounds.
  const running = [scripted(0, {step: [9, 0.5, 1, 0.25, 0.5], product: [9, 0.1, 0.2, 0.4], log: []})];
  const [row] = await measureCell(cell, {running, rounds: 3});
  t.deepEqual(row, {
    configuration: 'B',
    batch: 16,
    precision: 'float32',
    contender: 'palimpsest',
    tokensPerSecond: (16 * 128) / 0.5,
    bestTokensPerSecond: (16 * 128) / 0.25,
    gigaflops: ((16 * 128) / 0.5) * (flopsPerToken(cell.config) / 1e9),
    matmulGflops: row!.matmulGflops,
  });
  t.is(Math.round(row!.matmulGflops * 1000), Math.round(((2 * 2048 ** 3) / 0.2 / 1e9) * 1000));
});

test('measureCell lets contenders take turns of about a second', async t => {
  const log: string[] = [];
  const running = [scripted(0, {step: [0.1], product: [0.01], log}), scripted(1, {step: [3], product: [0.01], log})];
  await measureCell(benchCells[0]!, {running, rounds: 2});
  const round = ['0: 10 steps', '0: 3 products', '1: 1 steps', '1: 3 products'];
  t.deepEqual(log.slice(-8), [...round, ...round]);
});
