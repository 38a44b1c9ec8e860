import {readWorkerConfig} from './worker/read-worker-config.ts';
import {showWorkerConfig} from './worker/show-worker-config.ts';

export type ValidateOptions = {
  /** Assignments of fields. */
  readonly set: readonly string[];
  readonly print?: boolean;
};

/** Reads a worker's configuration, and says that it is right or shows it. */
export async function runValidate(path: string, {set, print}: ValidateOptions): Promise<void> {
  const config = await readWorkerConfig(path, {assignments: set});
  if (print) process.stdout.write(showWorkerConfig(config));
  else console.log(`${path} is right`);
}
