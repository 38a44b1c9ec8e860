import test from 'ava';
import {parseTrainingConfig} from '../../training/parse-training-config.ts';

const model = {
  segmentLength: 8,
  memoryLength: 8,
  compressedMemoryLength: 8,
  compressionRate: 2,
  compressor: 'convolution',
  layers: 1,
  heads: 2,
  modelWidth: 16,
  feedForwardWidth: 16,
};
const least = {name: 'sample', model, steps: 10, learningRate: {peak: 0.01}};

test('parseTrainingConfig fills in defaults', t => {
  t.deepEqual(parseTrainingConfig(least), {
    name: 'sample',
    tokenizer: 'byte',
    model,
    seed: 1,
    steps: 10,
    batch: 16,
    microBatch: 16,
    learningRate: {peak: 0.01, floor: 1e-6, warmUpSteps: 0},
    clip: {main: 0.1, auxiliary: 0.1},
    compressionLoss: 'attention-reconstruction',
    precision: 'float32',
    dropout: 0,
    updates: [{fromStep: 0, every: 1}],
    gutenberg: false,
    validateEvery: 500,
    validationTokens: 65_536,
    saveEvery: 500,
    logEvery: 10,
  } as ReturnType<typeof parseTrainingConfig>);
});

test('parseTrainingConfig takes the loss that the compressor can learn by', t => {
  const lossOf = (changes: object) => parseTrainingConfig({...least, model: {...model, ...changes}}).compressionLoss;
  t.is(lossOf({compressor: 'dilated-convolution', memoryLength: 16}), 'attention-reconstruction');
  t.is(lossOf({compressor: 'most-used'}), 'none');
  t.is(lossOf({compressedMemoryLength: 0}), 'none');
});

for (const [changes, type, message] of [
  [{name: ''}, TypeError, /name must be a string that is not empty: current value is ""/],
  [{name: undefined}, TypeError, /must have name: it is missing/],
  [{model: {from: ''}}, TypeError, /model\.from must be the folder of a model: current value is ""/],
  [
    {model: {from: 'base', layers: 2}},
    TypeError,
    /a model to go on from must have no other fields than from, segmentLength, memoryLength, .*: current value is "layers"/,
  ],
  [{model: 3}, TypeError, /model, unless it is the folder of one, must be an object: current value is 3/],
  [{model: {...model, layers: 0}}, RangeError, /layers must be a positive integer: current value is 0/],
  [
    {model: {...model, vocabularySize: 9}},
    TypeError,
    /model must have no other fields than .*: current value is "vocabularySize"/,
  ],
  [{steps: 1.5}, RangeError, /steps must be a whole number, at least 1: current value is 1\.5/],
  [{steps: '10'}, TypeError, /steps must be a whole number, at least 1: current value is "10"/],
  [{batch: 6, microBatch: 4}, RangeError, /microBatch must divide batch \(6\): current value is 4/],
  [
    {learningRate: {peak: 0}},
    RangeError,
    /learningRate\.peak must be a number above 0 and at most 1: current value is 0/,
  ],
  [
    {learningRate: {peak: 0.1, floor: 0.2}},
    RangeError,
    /learningRate\.floor must be a number at least 0 and at most 0\.1: /,
  ],
  [{learningRate: {peak: 0.1, warmUp: 2}}, TypeError, /learningRate must have no other fields than .*"warmUp"/],
  [{clip: {main: -1}}, RangeError, /clip\.main must be a number above 0: current value is -1/],
  [{clip: {main: Number.NaN}}, RangeError, /clip\.main/],
  [{dropout: 1}, RangeError, /dropout must be a number at least 0 and below 1: current value is 1/],
  [{precision: 'half'}, RangeError, /precision must be one of float32, bfloat16, auto: current value is "half"/],
  [{gutenberg: 'yes'}, TypeError, /gutenberg must be true or false: current value is "yes"/],
  [{updates: []}, TypeError, /updates must be a list that is not empty/],
  [
    {updates: [{fromStep: 5, every: 1}]},
    RangeError,
    /begin with fromStep 0 and go on upwards: current value of updates\[0\] is 5/,
  ],
  [
    {
      updates: [
        {fromStep: 0, every: 1},
        {fromStep: 0, every: 2},
      ],
    },
    RangeError,
    /current value of updates\[1\] is 0/,
  ],
  [{updates: [{fromStep: 0, every: 0}]}, RangeError, /updates\[0\]\.every must be a whole number, at least 1/],
  [{compressionLoss: 'magic'}, RangeError, /compressionLoss must be one of .*: current value is "magic"/],
  [{compressionLoss: 'none'}, RangeError, /compressor "convolution" has weights/],
  [
    {model: {...model, compressor: 'mean-pool'}, compressionLoss: 'auto-encoding'},
    RangeError,
    /compressor "mean-pool" has no weights/,
  ],
  [
    {model: {...model, compressedMemoryLength: 0}, compressionLoss: 'attention-reconstruction'},
    RangeError,
    /a model without compressed memory has no weights/,
  ],
] as const) {
  test(`parseTrainingConfig refuses ${JSON.stringify(changes)}`, t => {
    t.throws(() => parseTrainingConfig({...least, ...changes}), {instanceOf: type as ErrorConstructor, message});
  });
}

test('parseTrainingConfig refuses what is no object', t => {
  t.throws(() => parseTrainingConfig([]), {instanceOf: TypeError, message: /the configuration must be an object/});
});

test('parseTrainingConfig takes a folder as a model to go on from, with other memories or not', t => {
  t.deepEqual(parseTrainingConfig({...least, model: 'base'}).model, {from: 'base'});
  const changed = {
    from: 'base',
    memoryLength: 8,
    compressedMemoryLength: 4,
    compressionRate: 2,
    compressor: 'mean-pool',
  };
  t.deepEqual(parseTrainingConfig({...least, model: changed}).model, changed as object);
});
