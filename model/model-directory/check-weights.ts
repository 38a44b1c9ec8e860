import {ModelError} from '../../errors.ts';
import type {ModelConfig} from '../model-config.ts';
import {weightShapes} from '../weights/weight-shapes.ts';

export type CheckWeightsOptions = {
  /** For error messages. */
  readonly path: string;
  readonly config: ModelConfig;
};

/**
 * Checks that weights are those of a configuration: none missing, none too many, each of the right shape.
 *
 * @throws {ModelError} Names the first weight that is wrong.
 */
export function checkWeights(
  weights: ReadonlyMap<string, {readonly shape: readonly number[]}>,
  {path, config}: CheckWeightsOptions,
): void {
  const fail = (rule: string, current: string): ModelError =>
    new ModelError(
      `Cannot use "${path}" as ${rule}: current value is ${current}; take weights and configuration of the same model`,
    );
  const shapes = weightShapes(config);
  for (const [name, shape] of shapes) {
    const weight = weights.get(name);
    if (weight === undefined) throw fail(`weight "${name}" must have shape [${shape}]`, 'missing');
    if (weight.shape.length !== shape.length || weight.shape.some((size, i) => size !== shape[i])) {
      throw fail(`weight "${name}" must have shape [${shape}]`, `[${weight.shape}]`);
    }
  }
  for (const name of weights.keys()) {
    if (!shapes.has(name)) throw fail('it must hold no other weights than those of its configuration', `"${name}"`);
  }
}
