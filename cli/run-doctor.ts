import {EngineUnavailableError} from '../errors.ts';
import {checkInstallNeeds} from '../model/engine/check-install-needs.ts';
import {type Engine, type EngineName, openEngine} from '../model/engine/engine.ts';
import {installCommand} from '../model/engine/install-command.ts';
import {measureMatmul} from '../model/engine/measure-matmul.ts';
import {prepareEngineEnvironment} from '../model/engine/prepare-engine-environment.ts';
import {fusedKernels} from '../model/kernels/fused-kernels.ts';
import type {Precision} from '../model/precision.ts';
import {tryMemoryStore} from './try-memory-store.ts';

type Report = {
  readonly node: string;
  readonly platform: string;
  readonly engine: {
    readonly name: EngineName;
    readonly description: string;
    readonly tensorflowVersion: string | null;
    readonly threads: number;
    /** In which it multiplies. */
    readonly precisions: readonly Precision[];
    readonly gigaflops: number;
  };
  /** Faster engines that cannot be used, and the command that changes it. */
  readonly missing: readonly {readonly name: EngineName; readonly reason: string; readonly command: string | null}[];
  /** Why the native engine could not be built here, and the commands that change it. */
  readonly buildProblem: string | null;
  readonly memoryStore: {readonly works: string} | {readonly problem: string};
};

export type DoctorOptions = {
  readonly engine: EngineName | 'auto';
  /** Threads of the engine. */
  readonly threads?: number;
  readonly json?: boolean;
  /**
   * Tries the default memory store.
   *
   * @returns What was tried, such as "LMDB reads and writes".
   * @throws If it does not work; the message is shown.
   * @default tryMemoryStore
   */
  readonly checkMemoryStore?: () => Promise<string>;
};

/** Prints what this machine computes and stores with, and how to get what is missing. */
export async function runDoctor({
  engine: choice,
  threads,
  json,
  checkMemoryStore = tryMemoryStore,
}: DoctorOptions): Promise<void> {
  prepareEngineEnvironment(threads === undefined ? {} : {threads});
  const engine = await openEngine(choice);
  const report = await examine(engine, checkMemoryStore);
  console.log(json ? JSON.stringify(report, undefined, 2) : describe(report));
  if ('problem' in report.memoryStore) process.exitCode = 1;
}
async function examine(engine: Engine, checkMemoryStore: () => Promise<string>): Promise<Report> {
  const {name, description, tensorflowVersion = null, threads, skipped} = engine;
  // Plain JavaScript would take seconds for the size that the others need to show their speed.
  const size = name === 'cpu' ? 256 : name === 'gpu' ? 4096 : 1024;
  const gigaflops = Number((await measureMatmul(engine, {size})).toPrecision(3));
  const precisions: Precision[] = fusedKernels('bfloat16') === undefined ? ['float32'] : ['float32', 'bfloat16'];
  const memoryStore = await checkMemoryStore().then(
    works => ({works}),
    error => ({problem: error instanceof Error ? error.message : String(error)}),
  );
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    engine: {name, description, tensorflowVersion, threads, precisions, gigaflops},
    buildProblem: skipped.length === 0 ? null : await buildProblem(),
    missing: skipped.map(({name, reason}) => ({name, reason, command: installCommand(name) ?? null})),
    memoryStore,
  };
}

async function buildProblem(): Promise<string | null> {
  try {
    await checkInstallNeeds();
    return null;
  } catch (error) {
    if (error instanceof EngineUnavailableError) return error.message;
    throw error;
  }
}

function describe({node, platform, engine, missing, buildProblem, memoryStore}: Report): string {
  const rows: [string, string][] = [
    ['Node', `${node} on ${platform}`],
    ['Engine', `${engine.name}: ${engine.description}`],
    ['TensorFlow', engine.tensorflowVersion ?? 'not used'],
    ['Threads', String(engine.threads)],
    ['Precisions', engine.precisions.join(', ')],
    ['Matrix product', `${engine.gigaflops} GFLOP/s (float32)`],
    ['Memory store', 'works' in memoryStore ? memoryStore.works : memoryStore.problem],
    ...missing.map(({name, reason}): [string, string] => [`Not used: ${name}`, reason]),
    ...(buildProblem === null ? [] : [['First of all', buildProblem] satisfies [string, string]]),
  ];
  return rows.map(([label, text]) => `${label.padEnd(18)}${text}`).join('\n');
}
