import {workerData} from 'node:worker_threads';
import {PipelineError} from '../../errors.ts';
import {openEngine} from '../engine/engine.ts';
import {LocalModel} from '../local-model.ts';
import {transferableBuffers} from './transferable-buffers.ts';
import type {WorkerError, WorkerReply, WorkerRequest, WorkerStart} from './worker-protocol.ts';

const {engine: choice, port, ...options} = workerData as WorkerStart;

function reply(message: WorkerReply, buffers: ArrayBuffer[] = []): void {
  port.postMessage(message, buffers);
}

function describe(error: unknown): WorkerError {
  if (!(error instanceof Error)) return {name: 'Error', message: String(error), retriable: false};
  return {
    name: error.name,
    message: error.message,
    retriable: error instanceof PipelineError && error.retriable,
  };
}

try {
  const {name, description, tensorflowVersion, threads, skipped} = await openEngine(choice);
  const model = new LocalModel(options);
  port.on('message', async (request: WorkerRequest) => {
    if ('close' in request) {
      await model[Symbol.asyncDispose]();
      port.close();
      return;
    }
    const {id, method, args} = request;
    try {
      const call = model[method] as (...values: readonly unknown[]) => Promise<unknown>;
      const result = await call.apply(model, args as unknown[]);
      reply({id, result}, transferableBuffers(result, {shared: true}));
    } catch (error) {
      reply({id, error: describe(error)});
    }
  });
  reply({ready: {name, description, tensorflowVersion, threads, skipped}});
} catch (error) {
  reply({id: undefined, error: describe(error)});
  port.close();
}
