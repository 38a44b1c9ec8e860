import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {hasBfloat16} from '../../../bench/has-bfloat16.ts';
import {openEngine} from '../../../model/engine/engine.ts';
import type {ModelConfig} from '../../../model/model-config.ts';
import {initialiseWeights} from '../../../model/weights/initialise-weights.ts';
import {emptyRemembered} from '../../../training/empty-remembered.ts';
import {composedTrainingKernels} from '../../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../../training/kernels/fused-training-kernels.ts';
import type {TrainingKernels} from '../../../training/kernels/training-kernels.ts';
import {segmentTensors} from '../../../training/segment-tensors.ts';
import {trainingLoss} from '../../../training/training-loss.ts';
import {relativeDistance} from '../../model/relative-distance.ts';
import {relativeError} from '../../model/relative-error.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

test.serial.before(async () => {
  await openEngine('native');
});

/** Loss and gradients of documents of several ages; memories are random. */
function differentiate(config: ModelConfig, kernels: TrainingKernels): Map<string, Float32Array> {
  const random = seededRandom(1);
  const filled = [
    {memory: config.memoryLength, compressed: config.compressedMemoryLength},
    {memory: Math.floor(config.memoryLength / 2), compressed: 0},
    {memory: 0, compressed: 0},
  ];
  const size = filled.length * config.segmentLength;
  const tokens = () => Int32Array.from({length: size}, () => Math.floor(random() * config.vocabularySize));
  const segment = segmentTensors(
    {
      tokens: tokens(),
      targets: tokens(),
      present: new Float32Array(size).fill(1),
      full: filled.map(() => true),
      counts: filled,
    },
    {config, targetWeight: 1 / size, documentWeight: 1},
  );
  const layers = emptyRemembered(filled.length, config).map(layer => {
    const random3d = ({shape}: tf.Tensor3D) =>
      tf.tensor3d(
        Float32Array.from({length: shape[0] * shape[1] * shape[2]}, () => 2 * random() - 1),
        shape,
      );
    const {rows, compressedRows} = layer;
    return {...(rows && {rows: random3d(rows)}), ...(compressedRows && {compressedRows: random3d(compressedRows)})};
  });
  const names: string[] = [];
  const weights: Record<string, tf.Tensor> = {};
  for (const [name, {data, shape}] of initialiseWeights(config, 1)) {
    // Nothing is at its trivial start.
    weights[name] = tf.tensor(
      data.map(value => value + 0.1 * (2 * random() - 1)),
      shape.slice(),
    );
    names.push(name);
  }
  const {value, grads} = tf.engine().gradients(
    () =>
      trainingLoss([segment], layers, {config, weight: name => weights[name]!, compressionLoss: 'none', kernels}).main,
    names.map(name => weights[name]!),
    undefined,
    true,
  );
  const gradients = names.map(
    (name, i) => [name, (grads[i]?.dataSync() ?? new Float32Array()) as Float32Array] as const,
  );
  return new Map([['loss', value.dataSync() as Float32Array], ...gradients]);
}

const sizes = {
  compressionRate: 4,
  compressor: 'convolution',
  layers: 2,
  vocabularySize: 50,
  feedForwardWidth: 48,
} as const;

for (const config of [
  // More than one block of queries, the last of them not whole.
  {...sizes, segmentLength: 148, memoryLength: 200, compressedMemoryLength: 84, heads: 2, modelWidth: 64},
  {...sizes, segmentLength: 64, memoryLength: 64, compressedMemoryLength: 0, heads: 4, modelWidth: 32},
  {...sizes, segmentLength: 68, memoryLength: 0, compressedMemoryLength: 40, heads: 1, modelWidth: 6},
] satisfies ModelConfig[]) {
  const {segmentLength, memoryLength, compressedMemoryLength} = config;
  test.serial(
    `fusedTrainingKernels have the gradients of composed ones: ${[segmentLength, memoryLength, compressedMemoryLength]}`,
    t => {
      const expected = differentiate(config, composedTrainingKernels);
      for (const [name, gradient] of differentiate(config, fusedTrainingKernels()!)) {
        const error = relativeError(gradient, expected.get(name)!);
        t.true(error < 1e-4, `${name}: ${error}`);
      }
    },
  );

  const halved = hasBfloat16() ? test.serial : test.serial.skip;
  halved(
    `fusedTrainingKernels have the gradients of composed ones in bfloat16: ${[segmentLength, memoryLength, compressedMemoryLength]}`,
    t => {
      const [rounded, exact] = [fusedTrainingKernels('bfloat16')!, composedTrainingKernels].map(kernels =>
        differentiate(config, kernels),
      );
      for (const [name, gradient] of exact!) {
        if (gradient.length === 0) continue;
        // Small ones vanish among all.
        const own = relativeDistance(rounded!.get(name)!, gradient);
        t.true(own < 0.1, `${name}: relative distance ${own}`);
      }
      const [given, expected] = [rounded, exact].map(all => [...all!.values()].flatMap(values => [...values]));
      const distance = relativeDistance(given!, expected!);
      // Rounded, but not to the last digits of float32: the products are what they are called.
      t.true(distance > 1e-4 && distance < 0.03, `relative distance ${distance}`);
    },
  );
}

test.serial('fusedTrainingKernels drop as many elements as the rate says, and their gradients with them', t => {
  const {drop} = fusedTrainingKernels()!;
  const by = (first: number, second: number) => ({rate: 0.3, seed: tf.tensor1d([first, second], 'int32')});
  const ones = tf.ones([100_000]);
  const values = drop(ones, by(1, 2)).dataSync();
  const kept = values.filter(value => value !== 0);
  t.true(kept.every(value => Math.abs(value - 1 / 0.7) < 1e-6));
  // Four standard deviations.
  t.true(Math.abs(kept.length / values.length - 0.7) < 4 * Math.sqrt((0.3 * 0.7) / values.length));
  t.deepEqual(
    tf
      .grad(x => tf.sum(drop(x, by(1, 2))))(ones)
      .dataSync(),
    values,
  );
  t.deepEqual(drop(ones, by(1, 2)).dataSync(), values);
  for (const other of [by(2, 2), by(1, 3)]) {
    const both = drop(ones, other).dataSync();
    const alike = both.filter((value, i) => (value === 0) === (values[i] === 0)).length / both.length;
    t.true(Math.abs(alike - (0.7 ** 2 + 0.3 ** 2)) < 0.01, `${alike}`);
  }
});

test.serial('fusedTrainingKernels update by Adam as composed ones do', t => {
  const random = seededRandom(2);
  // More than one task, the last of them not whole.
  const tensor = (scale: number) => tf.tensor1d(Float32Array.from({length: 40_001}, () => scale * random()));
  const [weight, first, second, gradient] = [tensor(1), tensor(0.1), tensor(0.01), tensor(1)];
  const scalars = {
    factor: tf.scalar(0.3),
    learningRate: tf.scalar(0.01),
    firstCorrection: tf.scalar(0.19),
    secondCorrection: tf.scalar(0.002),
  };
  const [one, other] = [composedTrainingKernels, fusedTrainingKernels()!].map(kernels =>
    kernels.adam({weight, first, second}, gradient, scalars),
  );
  for (const name of ['weight', 'first', 'second'] as const) {
    t.true(relativeError(other![name].dataSync(), one![name].dataSync()) < 1e-5, name);
  }
  t.true(
    Math.abs(
      fusedTrainingKernels()!.squaredNorm(gradient).dataSync()[0]! / tf.sum(tf.square(gradient)).dataSync()[0]! - 1,
    ) < 1e-4,
  );
});

test.serial('fusedTrainingKernels give loss and gradients of next tokens whose logits lie far apart', t => {
  const random = seededRandom(3);
  // Several blocks of tokens and of the vocabulary, the last of them not whole.
  const [rows, vocabulary, width] = [1_100, 700, 24] as const;
  const tensor = (height: number) =>
    tf.tensor2d(
      Float32Array.from({length: height * width}, () => 16 * (random() - 0.5)),
      [height, width],
    );
  const [hidden, embedding] = [tensor(rows), tensor(vocabulary)];
  const targets = Int32Array.from({length: rows}, () => Math.floor(random() * vocabulary));
  const weights = Float32Array.from({length: rows}, () => (random() < 0.2 ? 0 : random()));

  const [x, e] = [hidden.dataSync(), embedding.dataSync()];
  const expected = {
    loss: 0,
    nats: new Float64Array(rows),
    hidden: new Float64Array(x.length),
    embedding: new Float64Array(e.length),
  };
  let apart = 0;
  for (let row = 0; row < rows; row++) {
    const logits = Float64Array.from({length: vocabulary}, (_, token) => {
      let logit = 0;
      for (let i = 0; i < width; i++) logit += x[row * width + i]! * e[token * width + i]!;
      return logit;
    });
    const greatest = logits.reduce((a, b) => Math.max(a, b));
    apart = Math.max(apart, greatest - logits[0]!);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - greatest), 0);
    expected.nats[row] = greatest + Math.log(sum) - logits[targets[row]!]!;
    expected.loss += weights[row]! * expected.nats[row]!;
    for (let token = 0; token < vocabulary; token++) {
      const slope = weights[row]! * (Math.exp(logits[token]! - greatest) / sum - (token === targets[row] ? 1 : 0));
      for (let i = 0; i < width; i++) {
        expected.hidden[row * width + i]! += slope * e[token * width + i]!;
        expected.embedding[token * width + i]! += slope * x[row * width + i]!;
      }
    }
  }
  // Their exponentials would be infinite.
  t.true(apart > 200);

  const kernels = fusedTrainingKernels()!;
  let nats: tf.Tensor | undefined;
  const {value, grads} = tf.valueAndGrads((hidden: tf.Tensor, embedding: tf.Tensor) => {
    const result = kernels.nextTokenLoss({
      hidden: hidden as tf.Tensor2D,
      targets: tf.tensor1d(targets, 'int32'),
      weights: tf.tensor1d(weights),
      vocabulary: kernels.packMatrix(embedding as tf.Tensor2D, {transposed: true}),
    });
    nats = tf.keep(result.nats);
    return result.loss;
  })([hidden, embedding]);
  t.true(relativeDistance(value.dataSync(), [expected.loss]) < 1e-6);
  t.true(relativeDistance(nats!.dataSync(), expected.nats) < 1e-6);
  t.true(relativeDistance(grads[0]!.dataSync(), expected.hidden) < 1e-5);
  t.true(relativeDistance(grads[1]!.dataSync(), expected.embedding) < 1e-5);
});
