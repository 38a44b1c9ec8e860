import {isMainThread} from 'node:worker_threads';
import {EngineUnavailableError} from '../../errors.ts';
import type {NodePackage} from './load-node-package.ts';
import {openPortableEngine} from './open-portable-engine.ts';
import {openTensorflowEngine} from './open-tensorflow-engine.ts';
import {prepareEngineEnvironment} from './prepare-engine-environment.ts';

/** Names of the engines, fastest first. */
export const engineNames = ['gpu', 'native', 'wasm', 'cpu'] as const;

/**
 * What computes tensors: `gpu` and `native` are TensorFlow with and without a GPU, `wasm` is WebAssembly with SIMD on one
 * thread, `cpu` is plain JavaScript.
 */
export type EngineName = (typeof engineNames)[number];

/** A tensor engine that runs; the current one of its thread. */
export interface Engine {
  readonly name: EngineName;
  /** The one tfjs of this thread, gradients registered, with this engine as its backend. */
  readonly tf: typeof import('@tensorflow/tfjs');
  /** One line for people, such as "TensorFlow 2.21.0 on 8 threads". */
  readonly description: string;
  /** Version of the TensorFlow library; undefined if the engine is not TensorFlow. */
  readonly tensorflowVersion: string | undefined;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** The tfjs-node package behind `gpu` and `native`; undefined for the others. */
  readonly nodePackage: NodePackage | undefined;
  /** Faster engines that were tried before this one, and why they could not be used. */
  readonly skipped: readonly SkippedEngine[];
}

/** An engine that could not be opened. */
export type SkippedEngine = {readonly name: EngineName; readonly reason: string};

/**
 * Opens a tensor engine and makes it the backend of this thread's tfjs.
 *
 * Works on the main thread and in workers. TensorFlow reads the process's environment: a main thread that opens engines
 * only in workers calls `prepareEngineEnvironment()` before it starts them.
 *
 * @param choice A name, or `auto` for the first of gpu, native, wasm and cpu that loads and multiplies two matrices.
 * @throws {RangeError} If there is no engine of this name.
 * @throws {EngineUnavailableError} If the chosen engine cannot be used here; the message says how to get it.
 */
export async function openEngine(choice: EngineName | 'auto' = 'auto'): Promise<Engine> {
  if (choice !== 'auto' && !engineNames.includes(choice)) {
    throw new RangeError(
      `Cannot open an engine as its name must be one of auto, ${engineNames.join(', ')}: current value is "${choice}"`,
    );
  }
  if (isMainThread) prepareEngineEnvironment();
  const skipped: SkippedEngine[] = [];
  for (const name of choice === 'auto' ? engineNames : [choice]) {
    try {
      const engine = await (name === 'gpu' || name === 'native'
        ? openTensorflowEngine(name)
        : openPortableEngine(name));
      await multiplyMatrices(engine.tf);
      return {...engine, skipped};
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (choice !== 'auto') {
        throw error instanceof EngineUnavailableError
          ? error
          : new EngineUnavailableError(`Cannot open engine "${name}" as it failed to start: ${reason}`, {cause: error});
      }
      skipped.push({name, reason});
    }
  }
  throw new EngineUnavailableError(
    `Cannot open an engine as none works here: ${skipped.map(({name, reason}) => `${name} (${reason})`).join('; ')}`,
  );
}

async function multiplyMatrices(tf: Engine['tf']): Promise<void> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])));
  const values = [...(await product.data())];
  product.dispose();
  if (values.join() !== '19,22,43,50') {
    throw new Error(`Cannot use this engine as its matrix product is wrong: current value is [${values.join(', ')}]`);
  }
}
