import {once} from 'node:events';
import {MessageChannel, type MessagePort, Worker} from 'node:worker_threads';
import {EngineUnavailableError, ModelError, NumericalError, PipelineError} from '../../errors.ts';
import type {EngineName} from '../engine/engine.ts';
import {prepareEngineEnvironment} from '../engine/prepare-engine-environment.ts';
import type {LocalModelOptions} from '../local-model.ts';
import {memoryBytes} from '../memory-bytes.ts';
import type {MemorySnapshot} from '../memory-snapshot.ts';
import type {Model, StepResult, StepRow} from '../model.ts';
import type {ModelConfig} from '../model-config.ts';
import type {SummaryHead} from '../summary/summary-head.ts';
import {transferableBuffers} from './transferable-buffers.ts';
import type {
  EngineSummary,
  WorkerError,
  WorkerMethod,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from './worker-protocol.ts';

export type ModelWorkerOptions = {
  /** @default 'auto' */
  readonly engine?: EngineName | 'auto';
  /**
   * Threads that TensorFlow may use for one operation; it reads them once in a process, when the first engine is opened.
   *
   * @default those of TF_NUM_INTRAOP_THREADS, else all of the machine
   */
  readonly threads?: number;
};

type Call = {readonly resolve: (result: never) => void; readonly reject: (reason: unknown) => void};

type Connection = {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly calls: Map<number, Call>;
  /** Why no further call can be answered. */
  failure?: unknown;
};

/**
 * A model in a thread of its own, so that a step does not hold up the event loop of this one.
 *
 * Calls are answered in the order in which they were made; several may be under way. Arrays that are passed in are copied, but for those
 * of {@link restore}, which are moved; arrays that come back are the caller's.
 */
export class ModelWorker implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly config: ModelConfig;
  readonly summary: SummaryHead | undefined;
  readonly memoryBytes: number;
  /** What computes the tensors. */
  readonly engine: EngineSummary;
  readonly #connection: Connection;
  #next = 0;

  private constructor(
    {name, fingerprint, config, summary}: LocalModelOptions,
    {engine, connection}: {engine: EngineSummary; connection: Connection},
  ) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.config = config;
    this.summary = summary;
    this.memoryBytes = memoryBytes(config);
    this.engine = engine;
    this.#connection = connection;
  }

  /**
   * Starts a worker with an engine and a model.
   *
   * @param model Its weights are moved to the worker and cannot be used afterwards; its summary head stays in this thread.
   * @throws {EngineUnavailableError} If the engine cannot be used; the message says how to get it.
   * @throws {RangeError} If `threads` is not a positive integer.
   */
  static async start(
    model: LocalModelOptions,
    {engine = 'auto', threads}: ModelWorkerOptions = {},
  ): Promise<ModelWorker> {
    prepareEngineEnvironment(threads === undefined ? {} : {threads});
    const {port1: port, port2} = new MessageChannel();
    const {name, fingerprint, config, weights, compile = true, precision = 'float32'} = model;
    const worker = new Worker(new URL('./worker-thread.js', import.meta.url), {
      workerData: {name, fingerprint, config, weights, compile, precision, engine, port: port2} satisfies WorkerStart,
      transferList: [port2, ...transferableBuffers(weights)],
    });
    const connection: Connection = {worker, port, calls: new Map()};
    return new Promise((resolve, reject) => {
      const fail = (reason: unknown) => {
        reject(reason);
        connection.failure ??= reason;
        for (const call of connection.calls.values()) call.reject(reason);
        connection.calls.clear();
        port.close();
      };
      worker.on('error', cause => fail(new PipelineError(`Model worker failed: ${cause}`, {cause})));
      worker.on('exit', code => fail(new PipelineError(`Model worker ended with code ${code}`)));
      port.on('message', (reply: WorkerReply) => {
        if ('ready' in reply) {
          resolve(new ModelWorker(model, {engine: reply.ready, connection}));
        } else if (reply.id === undefined) {
          fail(revive((reply as {error: WorkerError}).error));
        } else {
          const call = connection.calls.get(reply.id);
          connection.calls.delete(reply.id);
          if ('error' in reply) call?.reject(revive(reply.error));
          else call?.resolve(reply.result as never);
        }
      });
    });
  }

  step(rows: readonly StepRow[]): Promise<StepResult[]> {
    return this.#call('step', [rows]);
  }

  restore(memory: string, snapshot: MemorySnapshot): Promise<void> {
    return this.#call('restore', [memory, snapshot], transferableBuffers(snapshot));
  }

  meanCompressed(memories: readonly string[]): Promise<Float32Array[]> {
    return this.#call('meanCompressed', [memories]);
  }

  snapshot(memories: readonly string[]): Promise<MemorySnapshot[]> {
    return this.#call('snapshot', [memories]);
  }

  fork(memory: string, copy: string): Promise<void> {
    return this.#call('fork', [memory, copy]);
  }

  release(memories: readonly string[]): Promise<void> {
    return this.#call('release', [memories]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection.failure !== undefined) return;
    this.#connection.failure = new Error('Cannot call the model as it is closed');
    const exited = once(this.#connection.worker, 'exit');
    this.#send({close: true});
    await exited;
  }

  #call<T>(method: WorkerMethod, args: readonly unknown[], moved: readonly ArrayBuffer[] = []): Promise<T> {
    const {calls, failure} = this.#connection;
    if (failure !== undefined) return Promise.reject(failure);
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      calls.set(id, {resolve, reject});
      this.#send({id, method, args}, moved);
    });
  }

  #send(request: WorkerRequest, moved: readonly ArrayBuffer[] = []): void {
    this.#connection.port.postMessage(request, moved);
  }
}

/** Errors that a model or its engine throws on purpose. */
const errorClasses = [EngineUnavailableError, ModelError, NumericalError, PipelineError];

/** The error that the worker meant; its class is found by name. */
function revive({name, message, retriable}: WorkerError): Error {
  const known = errorClasses.find(errorClass => errorClass.name === name);
  if (known !== undefined) return new known(message, {retriable});
  return name === 'RangeError' ? new RangeError(message) : new Error(message);
}
