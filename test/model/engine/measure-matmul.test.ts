import test from 'ava';
import {openEngine} from '../../../model/engine/engine.ts';
import {measureMatmul} from '../../../model/engine/measure-matmul.ts';

test.serial('measureMatmul shows that TensorFlow is faster than plain JavaScript, and leaves no tensors', async t => {
  const slow = await measureMatmul(await openEngine('cpu'), {size: 192, rounds: 3});
  const engine = await openEngine('native');
  const fast = await measureMatmul(engine, {size: 192, rounds: 4});
  t.true(slow > 0);
  // Far apart: some 0.7 and 30 and more.
  t.true(fast > 5 * slow, `${fast} and ${slow}`);
  t.true(fast < 1e6, `${fast}`);
  t.is(engine.tf.memory().numTensors, 0);
});

test.serial('measureMatmul refuses sizes and rounds that are not positive integers', async t => {
  const engine = await openEngine('cpu');
  for (const options of [{size: 0}, {size: 1.5}, {rounds: 0}, {rounds: Number.NaN}]) {
    await t.throwsAsync(measureMatmul(engine, options), {
      instanceOf: RangeError,
      message: /must be a positive integer/,
    });
  }
});
