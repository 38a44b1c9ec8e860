import test from 'ava';
import {runName} from '../../../bench/comparison/comparison-run.ts';
import {comparisonRuns} from '../../../bench/comparison/comparison-runs.ts';
import {comparisonTrainingConfig} from '../../../bench/comparison/comparison-training-config.ts';
import {compressorNames} from '../../../model/compressor-name.ts';
import {compressionLossNames} from '../../../training/compression-loss.ts';
import {parseTrainingConfig} from '../../../training/parse-training-config.ts';

const options = {tokenizer: 'tokenizer.json', steps: 100};

test('comparisonRuns have names of their own', t => {
  t.is(new Set(comparisonRuns.map(runName)).size, comparisonRuns.length);
});

test('comparisonRuns cover each compressor and each loss with two seeds', t => {
  const seeds = (of: (run: (typeof comparisonRuns)[number]) => boolean) =>
    new Set(comparisonRuns.filter(run => run.compressedMemoryLength > 0 && of(run)).map(({seed}) => seed)).size;
  for (const name of compressorNames) t.true(seeds(({compressor}) => compressor === name) >= 2, name);
  for (const name of compressionLossNames) t.true(seeds(({compressionLoss}) => compressionLoss === name) >= 2, name);
});

test('comparisonTrainingConfig gives what training accepts, with as many tokens in a step for each run', t => {
  for (const run of comparisonRuns) {
    const {batch, model, compressionLoss} = parseTrainingConfig(comparisonTrainingConfig(run, options));
    if ('from' in model) return t.fail();
    t.is(batch * model.segmentLength * (compressionLoss === 'backpropagation' ? 2 : 1), 2048, runName(run));
  }
});
