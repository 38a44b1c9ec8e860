import type {ComparisonRun} from './comparison-run.ts';
import {runName} from './comparison-run.ts';

/** Rows that are read side by side; backpropagation reads two segments of each in a step, the others one. */
const segmentsOfStep = 32;

/** The training configuration of a run: equal data, tokens, updates and rates for all. */
export function comparisonTrainingConfig(
  run: ComparisonRun,
  {tokenizer, steps}: {readonly tokenizer: string; readonly steps: number},
) {
  const {memoryLength, compressedMemoryLength, compressor, compressionLoss, clip = 1, lateUpdatesEvery, seed} = run;
  return {
    name: runName(run),
    tokenizer,
    model: {
      segmentLength: 64,
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
    batch: compressionLoss === 'backpropagation' ? segmentsOfStep / 2 : segmentsOfStep,
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
