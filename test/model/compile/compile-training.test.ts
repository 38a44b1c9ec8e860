import * as tf from '@tensorflow/tfjs';
import test, {type ExecutionContext} from 'ava';
import {compile} from '../../../model/compile/compile.ts';
import {disposeTensors} from '../../../model/dispose-tensors.ts';
import {openEngine} from '../../../model/engine/engine.ts';
import {tidy} from '../../../model/tidy.ts';
import {relativeError} from '../relative-error.ts';
import {tolerance} from './equals-eager.ts';

type Batch = {readonly x: tf.Tensor2D; readonly y: tf.Tensor2D};

test.serial.before(async () => {
  await openEngine('native');
});

function batch(step: number): Batch {
  const values = (count: number, salt: number) => Array.from({length: count}, (_, j) => Math.sin(salt + 3 * j + step));
  return {x: tf.tensor2d(values(8 * 5, 1), [8, 5]), y: tf.tensor2d(values(8 * 2, 2), [8, 2])};
}

function startWeights(): tf.Tensor2D[] {
  const values = (count: number) => Array.from({length: count}, (_, j) => Math.cos(5 * j) / 3);
  return [tf.tensor2d(values(5 * 16), [5, 16]), tf.tensor2d(values(16 * 2), [16, 2])];
}

function loss([first, second]: readonly tf.Tensor2D[], {x, y}: Batch): tf.Scalar {
  return tf.mean(tf.squaredDifference(tf.matMul(tf.tanh(tf.matMul(x, first!)), second!), y)) as tf.Scalar;
}

function close(t: ExecutionContext, actual: tf.Tensor, expected: tf.Tensor): void {
  const error = relativeError(actual.dataSync(), expected.dataSync());
  t.true(error <= tolerance, `relative error ${error}`);
}

for (const [name, optimizer] of Object.entries({
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  rmsprop: () => tf.train.rmsprop(0.01),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
})) {
  test.serial(`compile() trains as without it with variables and tf.train.${name}`, t => {
    const train = (compiled: boolean) => {
      const variables = startWeights().map(weight => tf.variable(weight));
      const own = optimizer();
      const step = (inputs: Batch) => ({
        loss: own.minimize(() => loss(variables as tf.Tensor2D[], inputs), true, variables)!,
      });
      const run = compiled ? compile(step, {inputs: {x: {shape: [8, 5]}, y: {shape: [8, 2]}}}) : step;
      const losses = Array.from({length: 20}, (_, index) => tidy(() => run(batch(index)).loss.dataSync()[0]!));
      if (compiled) (run as unknown as Disposable)[Symbol.dispose]();
      own.dispose();
      return {variables, losses};
    };
    const [eager, compiled] = [train(false), train(true)];
    t.true(eager.losses.every(Number.isFinite));
    const error = relativeError(compiled.losses, eager.losses);
    t.true(error <= tolerance, `losses: relative error ${error}`);
    for (const [index, variable] of compiled.variables.entries()) close(t, variable, eager.variables[index]!);
    disposeTensors([...eager.variables, ...compiled.variables]);
  });
}

test.serial('compile() trains as without it with explicit gradients and an optimizer of tensors', t => {
  type Training = {readonly weights: tf.Tensor2D[]; readonly moments: tf.Tensor2D[]};
  const step = ({weights, moments, rate, ...data}: Training & Batch & {rate: tf.Scalar}) => {
    const {value, grads} = tf.valueAndGrads((...given) => loss(given as tf.Tensor2D[], data))(weights);
    const next = moments.map((moment, index) => tf.add(tf.mul(moment, 0.9), tf.mul(tf.square(grads[index]!), 0.1)));
    return {
      loss: value,
      weights: weights.map((weight, index) =>
        tf.sub(weight, tf.mul(rate, tf.div(grads[index]!, tf.add(tf.sqrt(next[index]!), 1e-8)))),
      ) as tf.Tensor2D[],
      moments: next as tf.Tensor2D[],
    };
  };
  const train = (run: typeof step) => {
    const weights = startWeights();
    let training: Training = {weights, moments: weights.map(weight => tf.zerosLike(weight))};
    for (let index = 0; index < 20; index++) {
      const before = training;
      const {loss: value, ...after} = tidy(() =>
        run({...training, ...batch(index), rate: tf.scalar(0.01 / (1 + index))}),
      );
      value.dispose();
      disposeTensors(before);
      training = after;
    }
    return training;
  };
  const start = tf.memory().numTensors;
  const eager = train(step);
  const [weights, moments] = [eager.weights, eager.moments];
  const compiled = compile(step, {
    inputs: {weights, moments, rate: {shape: []}, x: {shape: [8, 5]}, y: {shape: [8, 2]}},
  });
  const trained = train(compiled);
  for (const [index, weight] of trained.weights.entries()) close(t, weight, weights[index]!);
  for (const [index, moment] of trained.moments.entries()) close(t, moment, moments[index]!);
  compiled[Symbol.dispose]();
  disposeTensors([eager, trained]);
  t.is(tf.memory().numTensors, start);
});

test.serial('compile() runs the prediction of a tf.LayersModel with the weights that it has at the call', t => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({inputShape: [5], units: 7, activation: 'relu'}),
      tf.layers.layerNormalization(),
      tf.layers.dense({units: 2}),
    ],
  });
  const predict = compile(({x}: {x: tf.Tensor2D}) => [model.predict(x) as tf.Tensor], {inputs: {x: {shape: [8, 5]}}});
  for (let round = 0; round < 2; round++) {
    const {x, y} = batch(round);
    const [expected, [actual]] = [model.predict(x) as tf.Tensor, predict({x})];
    close(t, actual!, expected);
    model.setWeights(model.getWeights().map(weight => tf.add(weight, 0.5)));
    disposeTensors([x, y, expected, actual!]);
  }
  predict[Symbol.dispose]();
  model.dispose();
});
