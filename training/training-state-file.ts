import {access} from 'node:fs/promises';
import {ModelError} from '../errors.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import {readSafetensors} from '../model/weights/read-safetensors.ts';
import {writeSafetensors} from '../model/weights/write-safetensors.ts';
import type {TrainingState} from './training-state.ts';

const key = 'palimpsest.training';

/** Writes the state of a training run, whole or not at all. */
export async function writeTrainingState(
  path: string,
  state: TrainingState,
  tensors: ReadonlyMap<string, TensorData>,
): Promise<void> {
  await writeSafetensors(path, tensors, {metadata: {[key]: JSON.stringify(state)}});
}

/**
 * Reads what {@link writeTrainingState} wrote; `undefined` if there is no such file.
 *
 * @throws {ModelError} If the file is damaged, or holds something else.
 */
export async function readTrainingState(
  path: string,
): Promise<{state: TrainingState; tensors: ReadonlyMap<string, TensorData>} | undefined> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const {tensors, metadata} = await readSafetensors(path);
  const text = metadata.get(key);
  const state = text === undefined ? undefined : (JSON.parse(text) as TrainingState);
  if (state?.version !== 1) {
    throw new ModelError(`Cannot resume from "${path}" as it must be the state of a training run of this version`);
  }
  return {state, tensors: tensors as ReadonlyMap<string, TensorData>};
}
