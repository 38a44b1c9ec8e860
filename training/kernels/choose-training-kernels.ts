import {composedTrainingKernels} from './composed-training-kernels.ts';
import type {TrainingKernels} from './training-kernels.ts';

export function trainingKernels(): TrainingKernels {
  return composedTrainingKernels;
}
