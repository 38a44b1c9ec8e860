import type {ComparisonRun} from './comparison-run.ts';
import {runName} from './comparison-run.ts';

/** Of a step, of all rows; backpropagation reads two segments of each row in a step, the others one. */
const tokensOfStep = 2048;

/** The training configuration of a run: equal data, tokens, updates and rates for all. */
export function comparisonTrainingConfig(
  run: ComparisonRun,
  {tokenizer, steps}: {readonly tokenizer: string; readonly steps: number},
) {
  const {memoryLength, compressedMemoryLength, compressor, compressionLoss, lateUpdatesEvery, seed} = run;
  const {segmentLength = 64, clip = 1} = run;
  const segments = compressionLoss === 'backpropagation' ? 2 : 1;
  return {
    name: runName(run),
    tokenizer,
    model: {
      segmentLength,
      memoryLength,
      compressedMemoryLength,
      compressionRate: 4,
      compressor,
      layers: 4,
      heads: 4,
      modelWidth: 128,
      feedForwardWidth: 512,
    },
    seed,
    steps,
    precision: 'auto',
    batch: tokensOfStep / (segmentLength * segments),
    learningRate: {peak: 2e-3, floor: 1e-5, warmUpSteps: 200},
    clip: {main: clip, auxiliary: clip},
    compressionLoss,
    ...(lateUpdatesEvery !== undefined && {
      updates: [
        {fromStep: 0, every: 1},
        {fromStep: Math.round((2 / 3) * steps), every: lateUpdatesEvery},
      ],
    }),
    gutenberg: true,
    saveEvery: 250,
    logEvery: 50,
  };
}
