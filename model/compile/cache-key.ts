import {createHash} from 'node:crypto';
import {canonicalJson} from '../canonical-json.ts';
import {codeDigest} from '../code-digest.ts';
import {loadedNodePackage} from '../engine/load-node-package.ts';
import {tf} from '../tf.ts';
import type {TensorSpec} from './tensor-spec.ts';

export type CacheKeyOptions = {
  /** What the caller says of the function. */
  readonly name: string;
  readonly tensorflowVersion: string;
  readonly inputs: readonly TensorSpec[];
  readonly inputPaths: readonly string[];
  readonly constants: readonly tf.Tensor[];
  readonly constantPaths: readonly string[];
};

/** Digest of all that decides a graph. 64 hex digits */
export function cacheKey({
  name,
  tensorflowVersion,
  inputs,
  inputPaths,
  constants,
  constantPaths,
}: CacheKeyOptions): string {
  const describe = (specs: readonly TensorSpec[], paths: readonly string[]) =>
    specs.map(({shape, dtype = 'float32'}, index) => [paths[index]!, dtype, ...shape]);
  const decisive = {
    name,
    code: codeDigest(),
    tfjs: tf.version,
    tensorflow: tensorflowVersion,
    // Its folder names the build of the fused kernels.
    engine: loadedNodePackage()?.folder ?? null,
    inputs: describe(inputs, inputPaths),
    constants: describe(constants, constantPaths),
  };
  return createHash('sha256').update(canonicalJson(decisive)).digest('hex');
}
