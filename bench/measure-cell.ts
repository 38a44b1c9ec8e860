import type {ModelConfig} from '../model/model-config.ts';
import type {BenchCell} from './bench-cell.ts';
import type {Contender} from './contender.ts';
import type {ContenderProcess} from './contender-process.ts';
import {flopsPerToken} from './flops-per-token.ts';
import {median} from './median.ts';

/** A contender's result in a cell. */
export type BenchRow = {
  readonly configuration: string;
  readonly batch: number;
  readonly precision: Contender['precision'];
  readonly contender: Contender['name'];
  readonly tokensPerSecond: number;
  /** In the round in which nothing held it up, or least did. */
  readonly bestTokensPerSecond: number;
  /** What the step's products of matrices take a second. */
  readonly gigaflops: number;
  /** A product of two 2048 by 2048 matrices of the row's precision, by the library that the contender computes with. */
  readonly matmulGflops: number;
};

export type MeasureCellOptions = {
  readonly running: readonly RunningContender[];
  readonly rounds: number;
  /** What one token of a step takes. @default {@link flopsPerToken} */
  readonly flopsOf?: (config: ModelConfig) => number;
};

/** A contender and the process it runs in. */
export type RunningContender = {
  readonly contender: Contender;
  readonly process: Pick<ContenderProcess, 'runSteps' | 'multiplyMatrices'>;
};

const warmUpSteps = 2;
const turnSeconds = 1;
const productsPerTurn = 3;
const productGflop = (2 * 2048 ** 3) / 1e9;

/**
 * Lets the contenders of a cell take turns, so that what else the machine does meets all of them alike.
 *
 * @returns Medians over the rounds, and the best of them, in the order of the contenders.
 */
export async function measureCell(
  {configuration, batch, config}: BenchCell,
  {running, rounds, flopsOf = flopsPerToken}: MeasureCellOptions,
): Promise<BenchRow[]> {
  const turns = [];
  for (const {contender, process} of running) {
    await process.runSteps(warmUpSteps);
    await process.multiplyMatrices(1);
    const steps = Math.max(1, Math.round(turnSeconds / (await process.runSteps(1))));
    turns.push({contender, process, steps, tokensPerSecond: [] as number[], gflops: [] as number[]});
  }
  for (let round = 0; round < rounds; round++) {
    for (const {process, steps, tokensPerSecond, gflops} of turns) {
      tokensPerSecond.push((steps * batch * config.segmentLength) / (await process.runSteps(steps)));
      gflops.push((productsPerTurn * productGflop) / (await process.multiplyMatrices(productsPerTurn)));
    }
  }
  return turns.map(({contender, tokensPerSecond, gflops}) => ({
    configuration,
    batch,
    precision: contender.precision,
    contender: contender.name,
    tokensPerSecond: median(tokensPerSecond),
    bestTokensPerSecond: Math.max(...tokensPerSecond),
    gigaflops: median(tokensPerSecond) * (flopsOf(config) / 1e9),
    matmulGflops: median(gflops),
  }));
}
