import {readFile} from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import {updateCounts} from '../../model/memory-counts.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {readSafetensors} from '../../model/weights/read-safetensors.ts';
import {emptyRemembered} from '../../training/empty-remembered.ts';
import type {TrainingKernels} from '../../training/kernels/training-kernels.ts';
import {segmentTensors} from '../../training/segment-tensors.ts';
import {type TrainingSegment, trainingLoss} from '../../training/training-loss.ts';

const folder = new URL('../../../test/fixtures/training/', import.meta.url);

/** Fixtures that test/reference/make_gradient_fixtures.py writes. */
export const gradientFixtureNames = [
  'mean-pool',
  'max-pool',
  'convolution',
  'dilated-convolution',
  'most-used',
  'convolution-round-up',
  'transformer-xl',
] as const;

/** A tiny model, two documents side by side, and what the float64 reference says of their losses. */
export type GradientFixture = {
  readonly config: ModelConfig;
  readonly weights: Readonly<Record<string, tf.Tensor>>;
  readonly layers: ReturnType<typeof emptyRemembered>;
  /** Two segments that follow each other. */
  readonly segments: readonly TrainingSegment[];
  /** The losses that the fixture has gradients of. */
  readonly losses: ReadonlyMap<string, number>;
  readonly gradient: (loss: string, weight: string) => Float64Array | undefined;
};

/** Reads a fixture, and reads the documents up to their age. The first has read three segments, the second none. */
export async function readGradientFixture(name: string, kernels: TrainingKernels): Promise<GradientFixture> {
  const text = await readFile(new URL(`${name}.json`, folder), 'utf8');
  const {config, ages} = JSON.parse(text) as {config: ModelConfig; ages: number[]};
  const {tensors} = await readSafetensors(new URL(`${name}.safetensors`, folder).pathname);
  const n = config.segmentLength;
  const weights: Record<string, tf.Tensor> = {};
  const losses = new Map<string, number>();
  for (const [key, {shape, data}] of tensors) {
    if (key.startsWith('weights.'))
      weights[key.slice('weights.'.length)] = tf.tensor(data as Float32Array, shape.slice());
    if (key.startsWith('losses.')) losses.set(key.slice('losses.'.length), data[0] as number);
  }
  const documents = ages.map((_, k) => tensors.get(`documents.${k}.tokens`)!.data as Int32Array);
  let counts = ages.map(() => ({memory: 0, compressed: 0}));
  const makeSegment = (starts: readonly number[], targets: number): TrainingSegment => {
    const piece = (shift: number) =>
      Int32Array.from(
        documents.flatMap((tokens, k) => [...tokens.subarray(starts[k]! + shift, starts[k]! + shift + n)]),
      );
    const segment = segmentTensors(
      {
        tokens: piece(0),
        targets: piece(1),
        present: new Float32Array(documents.length * n).fill(1),
        full: documents.map(() => true),
        counts,
      },
      {config, targetWeight: 1 / targets, documentWeight: 1},
    );
    counts = counts.map(count => updateCounts(count, config).counts);
    return segment;
  };
  let layers = emptyRemembered(ages.length, config);
  for (let age = 0; age < Math.max(...ages); age++) {
    // A document that is not there yet reads anything; its counts are taken back below.
    const segment = makeSegment(
      ages.map(last => Math.min(age, last) * n),
      1,
    );
    const options = {config, weight: (key: string) => weights[key]!, compressionLoss: 'none', kernels} as const;
    layers = trainingLoss([segment], layers, options).layers.slice();
  }
  counts = counts.map((count, k) => (ages[k] === 0 ? {memory: 0, compressed: 0} : count));
  const total = 2 * documents.length * n;
  const segments = [0, 1].map(index =>
    makeSegment(
      ages.map(age => (age + index) * n),
      total,
    ),
  );
  return {
    config,
    weights,
    layers,
    segments,
    losses,
    gradient: (loss, weight) => tensors.get(`gradients.${loss}.${weight}`)?.data as Float64Array | undefined,
  };
}
