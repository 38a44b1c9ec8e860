import {join} from 'node:path';

/** What the folder of a run holds. */
export function comparisonRunFiles(folder: string) {
  return {
    training: join(folder, 'training.json'),
    /** Folder of training, with the model. */
    run: join(folder, 'run'),
    evaluation: join(folder, 'evaluation.json'),
  };
}
