import type * as tf from '@tensorflow/tfjs';
import type {TensorData} from '../model/memory-snapshot.ts';

/** Copies a tensor out of the engine. */
export function readTensor(tensor: tf.Tensor): TensorData {
  return {shape: tensor.shape, data: tensor.dataSync() as Float32Array};
}
