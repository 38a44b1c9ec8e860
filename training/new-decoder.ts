import {tf} from '../model/tf.ts';
import {RandomNormals} from '../model/weights/random-normals.ts';

/** Gives each row of a window the compressed row, with a little noise: what undoes an untrained compressor. */
export function newDecoder(name: string, shape: readonly number[], seed: number): tf.Tensor {
  const [rate, width] = shape as [number, number];
  const data = new Float32Array(rate * width * width);
  for (let row = 0; row < rate; row++) {
    for (let i = 0; i < width; i++) data[(row * width + i) * width + i] = 1;
  }
  new RandomNormals(`${seed} ${name}`).addTo(data, {standardDeviation: 0.1 / Math.sqrt(width)});
  return tf.tensor(data, shape.slice());
}
