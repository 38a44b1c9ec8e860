import {createRequire} from 'node:module';
import {dirname, join, sep} from 'node:path';
import type {Engine} from './engine.ts';
import {tfjs} from './tfjs.ts';

/** Opens an engine that needs nothing beyond our own dependencies. */
export async function openPortableEngine(name: 'wasm' | 'cpu'): Promise<Omit<Engine, 'skipped'>> {
  const tf = tfjs();
  if (name === 'wasm') await startWasm(tf);
  else await tf.setBackend('cpu');
  const description = name === 'wasm' ? 'WebAssembly on 1 thread' : 'plain JavaScript on 1 thread';
  return {name, tf, description, tensorflowVersion: undefined, threads: 1, nodePackage: undefined};
}

async function startWasm(tf: Engine['tf']): Promise<void> {
  const require = createRequire(import.meta.url);
  const {setWasmPaths} = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  if (tf.findBackend('wasm') === null) {
    setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), sep));
  }
  // Emscripten adds listeners that turn every unhandled rejection of the process into an exception of its own.
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = new Map(events.map(event => [event, process.rawListeners(event)] as const));
  const started = await tf.setBackend('wasm');
  for (const event of events) {
    for (const listener of process.rawListeners(event)) {
      if (!before.get(event)?.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  if (!started) throw new Error('Cannot start WebAssembly as its module could not be instantiated');
}
