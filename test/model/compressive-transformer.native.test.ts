import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {benchCells} from '../../bench/bench-cell.ts';
import {CompressiveTransformer} from '../../model/compressive-transformer.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {seededRandom} from '../operators/seeded-random.ts';
import {testAgainstReference} from './against-reference.ts';
import {relativeError} from './relative-error.ts';

testAgainstReference(test, 'native');
testAgainstReference(test, 'native', {fused: false});

test.serial('The native engine that palimpsest installs has the fused kernels', t => {
  t.not(fusedKernels(), undefined);
});

// The fixtures are too small for whole vectors and panels of them; the composed kernels are held against the fixtures above.
for (const [name, sizes] of Object.entries({
  'of the benchmark': {},
  'of one panel for each head': {heads: 8},
  'of half a panel for each head': {heads: 16},
  'where each segment fills both memories': {memoryLength: 128, compressedMemoryLength: 32},
  'with more hidden numbers than are computed at once': {feedForwardWidth: 2600},
  'with a memory that is no multiple of segments': {memoryLength: 200, compressedMemoryLength: 100},
  'where compression goes by the attention that rows received': {compressor: 'most-used'},
} satisfies Record<string, Partial<ModelConfig>>)) {
  test.serial(`CompressiveTransformer with fused kernels equals itself with composed ones: sizes ${name}`, t => {
    const cell = benchCells.find(({configuration}) => configuration === 'B')!;
    const config = {...cell.config, layers: 2, vocabularySize: 300, ...sizes};
    const {segmentLength: n, vocabularySize} = config;
    const models = [true, false].map(
      fused => new CompressiveTransformer(config, initialiseWeights(config, 1), {fused}),
    );
    const memories = models.map(model => model.emptyMemory(2));
    const random = seededRandom(2);
    // After twelve segments, all memories are full.
    for (let segment = 0; segment < 13; segment++) {
      const tokens = tf.tensor2d(
        Int32Array.from({length: 2 * n}, () => Math.floor(random() * vocabularySize)),
        [2, n],
        'int32',
      );
      const [fused, composed] = models.map((model, index) => {
        const before = memories[index]!;
        const {hidden, surprisal, memory} = model.step(tokens, before);
        const {compressedValues, attentionMass} = memory!.layers[1]!;
        const results = [hidden, surprisal, compressedValues!, ...(attentionMass === undefined ? [] : [attentionMass])];
        const values = results.map(tensor => tensor.dataSync());
        disposeTensors([hidden, surprisal, before]);
        memories[index] = memory!;
        return values;
      });
      for (const [index, values] of fused!.entries()) {
        const others = composed![index]!;
        // Zeros of both are slots that are not filled yet, and would make what is usual smaller.
        const filled = (_: number, place: number) => values[place] !== 0 || others[place] !== 0;
        const error = relativeError(values.filter(filled), others.filter(filled));
        t.true(error <= 1e-5, `segment ${segment}: relative error ${error}`);
      }
      tokens.dispose();
    }
    disposeTensors(memories);
    for (const model of models) model[Symbol.dispose]();
  });
}
