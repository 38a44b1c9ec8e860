import type {TrainingKernels} from './training-kernels.ts';
import {composedTrainingKernels} from './composed-training-kernels.ts';

export function fusedTrainingKernels(): TrainingKernels | undefined {
  return composedTrainingKernels;
}
