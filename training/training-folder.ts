import {access, mkdir, readdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {ModelError} from '../errors.ts';
import {claimFolder} from '../memory-store/claim-folder.ts';
import type {LockFile} from '../memory-store/lock-file.ts';
import {isRunning} from '../memory-store/process-identity.ts';
import type {TensorData} from '../model/memory-snapshot.ts';
import {formatModelConfigFile} from '../model/model-directory/format-model-config-file.ts';
import {modelDirectoryFiles} from '../model/model-directory/model-directory-files.ts';
import {type WriteModelDirectoryOptions, writeModelDirectory} from '../model/model-directory/write-model-directory.ts';
import {writeFileAtomically} from '../model/weights/write-file-atomically.ts';
import {writeSafetensors} from '../model/weights/write-safetensors.ts';
import type {TrainingState} from './training-state.ts';
import {readTrainingState, writeTrainingState} from './training-state-file.ts';

const stateFile = 'training.safetensors';
const logFile = 'log.jsonl';
const pictureFile = 'curves.svg';
const ownFiles = new Set<string>([stateFile, logFile, pictureFile, ...Object.values(modelDirectoryFiles)]);

/** The files of a training run: what it goes on from, the last and the best model, log and picture. */
export class TrainingFolder {
  readonly logPath: string;
  readonly #path: string;
  readonly #statePath: string;

  constructor(path: string) {
    this.#path = path;
    this.#statePath = join(path, stateFile);
    this.logPath = join(path, logFile);
  }

  /** @throws {ModelError} If the folder cannot be made. */
  async make(): Promise<void> {
    await this.#writing(mkdir(this.#path, {recursive: true}));
  }

  /**
   * Takes the folder for this process, until the file is removed or the process ends.
   *
   * @throws {ModelError} If a run is at work in it.
   */
  claim(): Promise<LockFile> {
    return claimFolder(this.#path, {
      purpose: 'training',
      refusal: holder =>
        new ModelError(
          `Cannot train into "${this.#path}" as only one run may write it at a time: ${holder} does; wait until it ends, or choose another folder`,
        ),
      unwritable: cause => this.#unwritable(cause),
    });
  }

  /** Removes what a process left that was killed while it wrote. */
  async removeUnfinished(): Promise<void> {
    for (const folder of ['.', 'best', 'last']) {
      const names = await readdir(join(this.#path, folder)).catch(() => []);
      for (const name of names.filter(isUnfinished)) {
        await rm(join(this.#path, folder, name), {recursive: true, force: true});
      }
    }
  }

  /** @throws {ModelError} If something is there already that a new run would write over. */
  async checkUnused(): Promise<void> {
    for (const which of ['best', 'last']) {
      if (!(await exists(join(this.#path, which)))) continue;
      throw new ModelError(
        `Cannot train into "${this.#path}" as it must not hold "${which}" without the training.safetensors of its run: move it away, or choose another folder`,
      );
    }
  }

  /** What an earlier run left to go on from. */
  readState(): ReturnType<typeof readTrainingState> {
    return readTrainingState(this.#statePath);
  }

  writeState(state: TrainingState, tensors: ReadonlyMap<string, TensorData>): Promise<void> {
    return writeTrainingState(this.#statePath, state, tensors);
  }

  async writePicture(svg: string): Promise<void> {
    await this.#writing(writeFileAtomically(join(this.#path, pictureFile), [Buffer.from(svg)]));
  }

  /** Writes a model folder; at any time, also after a crash, it holds one whole model. */
  async writeModel(which: 'best' | 'last', options: WriteModelDirectoryOptions): Promise<void> {
    const folder = join(this.#path, which);
    const weights = join(folder, modelDirectoryFiles.weights);
    // The tokenizer of a run stays the same, and of the configuration all but the name. A summary head belongs to the weights.
    if (await exists(weights)) {
      const tokenizer = options.tokenizerPath === undefined ? 'byte' : undefined;
      const config = Buffer.from(formatModelConfigFile(options, {tokenizer}));
      await this.#writing(rm(join(folder, modelDirectoryFiles.summary), {force: true}));
      await this.#writing(writeFileAtomically(join(folder, modelDirectoryFiles.config), [config]));
      await writeSafetensors(weights, options.weights, {metadata: {format: 'pt'}});
      return;
    }
    const unfinished = `${folder}.partial`;
    await writeModelDirectory(unfinished, {...options, overwrite: true});
    await this.#writing(rename(unfinished, folder));
  }

  async #writing(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw this.#unwritable(error as Error);
    }
  }

  #unwritable(cause: Error): ModelError {
    return new ModelError(`Cannot write into "${this.#path}" as ${cause.message}`, {cause});
  }
}

/** Of this folder's own files, and of no process that is still at work. */
function isUnfinished(name: string): boolean {
  if (['best.partial', 'last.partial'].includes(name)) return true;
  const [, file, pid] = name.match(/^(.*)\.(\d+)\.partial$/) ?? [];
  return ownFiles.has(file ?? '') && !isRunning({pid: Number(pid), started: ''});
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
