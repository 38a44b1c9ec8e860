import {EngineUnavailableError} from '../errors.ts';
import {favoursBfloat16} from '../model/engine/favours-bfloat16.ts';
import type {Precision, PrecisionChoice} from '../model/precision.ts';
import {fusedTrainingKernels} from './kernels/fused-training-kernels.ts';

/**
 * How products of a training step multiply on the current engine.
 *
 * @throws {EngineUnavailableError} If it cannot multiply in the precision that is asked for.
 */
export function resolvePrecision(choice: PrecisionChoice): Precision {
  if (choice === 'float32' || (choice === 'auto' && !favoursBfloat16())) return 'float32';
  if (fusedTrainingKernels('bfloat16') !== undefined) return 'bfloat16';
  if (choice === 'auto') return 'float32';
  throw new EngineUnavailableError(
    'Cannot train as precision "bfloat16" takes the native engine of "palimpsest native install" on a processor with AVX512-BF16: current value is "bfloat16"; use "float32" or "auto"',
  );
}
