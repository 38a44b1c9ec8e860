import {openEngine} from '../../model/engine/engine.ts';
import {LocalModel} from '../../model/local-model.ts';
import type {StepRow} from '../../model/model.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import type {ContenderTask} from '../contender-process.ts';
import {serveContender} from '../serve-contender.ts';
import {multiplySquares} from './multiply-squares.ts';

const seed = 1;

const task = JSON.parse(process.argv[2]!) as ContenderTask;
const {description} = await openEngine('native');

await serveContender({
  description,
  step: await openStepper(task),
  product: multiplySquares(task.precision),
});

/** Opens the model with full memories; what it returns reads the next segment of every document. */
async function openStepper({config, batch, precision}: ContenderTask): Promise<() => Promise<void>> {
  const {layers, memoryLength, compressedMemoryLength, modelWidth, segmentLength, vocabularySize} = config;
  const model = new LocalModel({
    name: 'bench',
    fingerprint: '',
    config,
    weights: initialiseWeights(config, seed),
    precision,
  });
  const random = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({length: shape.reduce((a, b) => a * b)}, () => 2 * Math.random() - 1),
  });
  const rows: StepRow[] = [];
  for (let row = 0; row < batch; row++) {
    const tensors = {
      memory: random(layers, memoryLength, modelWidth),
      compressedMemory: random(layers, compressedMemoryLength, modelWidth),
      lastHidden: random(modelWidth),
    };
    const counts = {memoryCount: memoryLength, compressedMemoryCount: compressedMemoryLength};
    await model.restore(`document ${row}`, {...counts, tensors});
    const tokens = Int32Array.from({length: segmentLength}, () => Math.floor(Math.random() * vocabularySize));
    rows.push({memory: `document ${row}`, tokens});
  }
  return async () => {
    await model.step(rows);
  };
}
