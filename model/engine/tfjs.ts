import {createRequire} from 'node:module';

/**
 * The one tfjs of this thread, loaded on first use.
 *
 * By `require`, because backends and packages that are loaded later require it too and must meet the same instance.
 */
export function tfjs(): typeof import('@tensorflow/tfjs') {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  // The plain backend greets its first tensor with an advertisement.
  (tf.findBackend('cpu') as unknown as {firstUse: boolean}).firstUse = false;
  return tf;
}
