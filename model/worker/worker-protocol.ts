import type {MessagePort} from 'node:worker_threads';
import type {EngineName, SkippedEngine} from '../engine/engine.ts';
import type {LocalModelOptions} from '../local-model.ts';

/** Methods of a model that the worker answers. */
export type WorkerMethod = 'step' | 'restore' | 'meanCompressed' | 'snapshot' | 'fork' | 'release';

/** What the worker is started with. */
export type WorkerStart = LocalModelOptions & {readonly engine: EngineName | 'auto'; readonly port: MessagePort};

/** The engine that the worker opened. */
export type EngineSummary = {
  readonly name: EngineName;
  /** One line for people. */
  readonly description: string;
  readonly tensorflowVersion: string | undefined;
  readonly threads: number;
  /** Faster engines that could not be used, and why. */
  readonly skipped: readonly SkippedEngine[];
};

export type WorkerRequest =
  | {readonly id: number; readonly method: WorkerMethod; readonly args: readonly unknown[]}
  | {readonly close: true};

export type WorkerError = {readonly name: string; readonly message: string; readonly retriable: boolean};

export type WorkerReply =
  | {readonly ready: EngineSummary}
  | {readonly id: number; readonly result: unknown}
  | {readonly id: number | undefined; readonly error: WorkerError};
