import {compile} from '../../model/compile/compile.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {openEngine} from '../../model/engine/engine.ts';
import type {RememberedRows} from '../../model/project-memory.ts';
import {tf} from '../../model/tf.ts';
import {tidy} from '../../model/tidy.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {composedTrainingKernels} from '../../training/kernels/composed-training-kernels.ts';
import {fusedTrainingKernels} from '../../training/kernels/fused-training-kernels.ts';
import {segmentTensors} from '../../training/segment-tensors.ts';
import {trainableWeights} from '../../training/trainable-weights.ts';
import {
  type NamedTensors,
  type TrainingStepInputs,
  type TrainingStepOptions,
  trainingStep,
} from '../../training/training-step.ts';
import type {ContenderTask} from '../contender-process.ts';
import {serveContender} from '../serve-contender.ts';
import {multiplySquares} from './multiply-squares.ts';

const compressionLoss = 'attention-reconstruction';

const task = JSON.parse(process.argv[2]!) as ContenderTask;
// As the command trains.
process.env.TF_NUM_INTEROP_THREADS ??= '1';
const {description} = await openEngine('native');

await serveContender({
  description,
  step: openStepper(task),
  product: multiplySquares(task.precision),
});

/** Training with full memories: what it returns reads the next segment of every row and updates all weights. */
function openStepper({config, batch, precision}: ContenderTask): () => Promise<void> {
  const {memoryLength, compressedMemoryLength, modelWidth, segmentLength, vocabularySize, layers} = config;
  const trainable = trainableWeights(config, compressionLoss);
  const options: TrainingStepOptions = {
    config,
    trainable,
    compressionLoss,
    kernels: fusedTrainingKernels(precision) ?? composedTrainingKernels,
    dropout: 0,
    clip: {main: 0.1, auxiliary: 0.1},
  };
  const weights = initialiseWeights(config, 1);
  const named = (make: (shape: number[], name: string) => tf.Tensor): NamedTensors =>
    Object.fromEntries(
      [...trainable.main, ...trainable.auxiliary].map(([name, shape]) => [name, make(shape.slice(), name)]),
    );
  const size = batch * segmentLength;
  const tokens = Int32Array.from({length: size}, () => Math.floor(Math.random() * vocabularySize));
  const counts = Array.from({length: batch}, () => ({memory: memoryLength, compressed: compressedMemoryLength}));
  const segment = segmentTensors(
    {
      tokens,
      targets: tokens.slice().reverse(),
      present: new Float32Array(size).fill(1),
      full: counts.map(() => true),
      counts,
    },
    {config, targetWeight: 1 / size, documentWeight: 1 / batch},
  );
  let state = {
    weights: named((shape, name) => tf.tensor(weights.get(name)!.data, shape)),
    first: named(shape => tf.zeros(shape)),
    second: named(shape => tf.zeros(shape)),
    layers: Array.from({length: layers}, (): RememberedRows => {
      return {
        rows: tf.randomNormal([batch, memoryLength, modelWidth]),
        compressedRows: tf.randomNormal([batch, compressedMemoryLength, modelWidth]),
      };
    }) as readonly RememberedRows[],
  };
  const inputsOf = ({weights, first, second, layers}: typeof state, updates: number): TrainingStepInputs => ({
    weights,
    layers,
    segments: [segment],
    seed: tf.tensor1d([0, 0], 'int32'),
    update: {
      first,
      second,
      schedule: {
        learningRate: tf.scalar(1e-4),
        firstCorrection: tf.scalar(1 - 0.9 ** updates),
        secondCorrection: tf.scalar(1 - 0.999 ** updates),
      },
    },
  });
  let updates = 1;
  const step = compile((inputs: TrainingStepInputs) => trainingStep(inputs, options), {
    inputs: inputsOf(state, updates),
  });
  return async () => {
    const before = state;
    state = tidy(() => {
      const {layers, updated, nats} = step(inputsOf(before, updates++));
      nats.dataSync();
      const {squaredNorms: _, ...tensors} = updated!;
      return {...tensors, layers};
    });
    disposeTensors(before);
  };
}
