import {cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {type EngineName, openEngine} from '../../../model/engine/engine.ts';
import {installCommand} from '../../../model/engine/install-command.ts';
import {nativeBuild} from '../../../model/engine/native-build.ts';
import {nativeBuildFolder} from '../../../model/engine/native-build-folder.ts';
import {nativeStatus} from '../../../model/engine/native-status.ts';
import {runModule} from './run-module.ts';

const engineModule = new URL('../../../model/engine/engine.js', import.meta.url).href;
const environmentModule = new URL('../../../model/engine/prepare-engine-environment.js', import.meta.url).href;

/** Opens an engine in another process and prints it, or the error. */
function openElsewhere(
  choice: string,
  {module = engineModule, ...options}: NonNullable<Parameters<typeof runModule>[1]> & {readonly module?: string},
) {
  return runModule(
    `import {openEngine} from '${module}';
    try {
      const {name, skipped, nodePackage} = await openEngine('${choice}');
      console.log(JSON.stringify({name, skipped, folder: nodePackage?.folder}));
    } catch ({name, message}) {
      console.log(JSON.stringify({error: name, message}));
    }`,
    options,
  );
}

function temporaryFolder(t: {teardown: (remove: () => void) => void}): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-engine-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  return folder;
}

test.before('the native engine is installed', t => {
  const folder = nativeStatus().find(({engine}) => engine === 'native')?.folder;
  t.truthy(folder, `These tests need the native engine: run "${installCommand('native')}"`);
});

for (const name of ['native', 'wasm', 'cpu'] as const) {
  test.serial(`openEngine opens ${name}, which computes products, gradients and top values`, async t => {
    const engine = await openEngine(name);
    const {tf} = engine;
    t.is(engine.name, name);
    t.is(tf.getBackend(), name === 'native' ? 'tensorflow' : name);
    t.deepEqual(engine.skipped, []);
    t.is(engine.tensorflowVersion, name === 'native' ? '2.21.0' : undefined);
    t.is(tf.memory().numTensors, 0);
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const gradient = tf.grad(y => tf.matMul(y, y).sum())(x);
      t.deepEqual([...gradient.dataSync()], [3 + 4, 7 + 4, 3 + 6, 7 + 6]);
      t.deepEqual([...tf.topk(tf.tensor1d([1, 5, 2]), 2).indices.dataSync()], [1, 2]);
    });
    t.is(tf.memory().numTensors, 0);
  });

  test.serial(`openEngine opens ${name} in two workers one after the other`, async t => {
    const text = `(async () => {
      const {openEngine} = await import('${engineModule}');
      const {tf, description} = await openEngine('${name}');
      const product = tf.matMul(tf.ones([3, 4]), tf.ones([4, 5]));
      require('node:worker_threads').parentPort.postMessage({description, sum: product.sum().dataSync()[0]});
    })()`;
    const messages: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const worker = new Worker(text, {eval: true});
      worker.on('message', message => messages.push(message));
      await new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve));
    }
    const {description} = await openEngine(name);
    t.deepEqual(messages, [
      {description, sum: 60},
      {description, sum: 60},
    ]);
  });
}

test.serial('openEngine prefers TensorFlow when the choice is auto', async t => {
  const {name} = await openEngine();
  t.true((['gpu', 'native'] as EngineName[]).includes(name));
});

test.serial('openEngine gives the same tfjs whatever the engine', async t => {
  t.is((await openEngine('cpu')).tf, (await openEngine('native')).tf);
});

test.serial('openEngine adds no listeners to the process when it starts wasm', async t => {
  const {stdout} = await runModule(
    `import {openEngine} from '${engineModule}';
    process.on('unhandledRejection', () => {});
    await openEngine('wasm');
    console.log(process.listenerCount('unhandledRejection'), process.listenerCount('uncaughtException'));`,
  );
  t.is(stdout, '1 0\n');
});

test('openEngine refuses an unknown name', async t => {
  await t.throwsAsync(openEngine('webgl' as EngineName), {
    instanceOf: RangeError,
    message: /current value is "webgl"$/,
  });
});

test('The modules of tfjs-node are loaded onto our tfjs, SavedModel and protocol buffers too', async t => {
  const {tf, nodePackage} = await openEngine('native');
  if (nodePackage === undefined) return t.fail();
  const {NodeJSKernelBackend} = nodePackage.require('./dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new () => unknown;
  };
  t.true(NodeJSKernelBackend.prototype instanceof tf.KernelBackend);
  t.is(nodePackage.backend, tf.findBackend('tensorflow'));
  const {loadSavedModel} = nodePackage.require('./dist/saved_model.js') as {loadSavedModel: unknown};
  t.is(typeof loadSavedModel, 'function');
  const {NodeDef} = nodePackage.require('./dist/proto/api_pb.js') as {
    NodeDef: {
      new (): {setName(name: string): void; serializeBinary(): Uint8Array};
      deserializeBinary(bytes: Uint8Array): {getName(): string};
    };
  };
  const node = new NodeDef();
  node.setName('product');
  t.is(NodeDef.deserializeBinary(node.serializeBinary()).getName(), 'product');
});

for (const name of ['native', 'gpu'] as const) {
  test(`openEngine says how to get ${name} when it is missing`, async t => {
    const {stdout} = await openElsewhere(name, {env: {PALIMPSEST_CACHE: temporaryFolder(t)}});
    const {error, message} = JSON.parse(stdout);
    t.is(error, 'EngineUnavailableError');
    t.true(message.includes('is not installed'), message);
    t.true(message.endsWith(`run "${installCommand(name)}"`), message);
  });
}

test('openEngine falls back to wasm and says why when TensorFlow is missing', async t => {
  const {stdout} = await openElsewhere('auto', {env: {PALIMPSEST_CACHE: temporaryFolder(t)}});
  const {name, skipped} = JSON.parse(stdout);
  t.is(name, 'wasm');
  t.deepEqual(
    skipped.map((engine: {name: string}) => engine.name),
    ['gpu', 'native'],
  );
});

test('openEngine does not take a TensorFlow with CUDA for a GPU: it refuses gpu, and auto computes with it as native', async t => {
  const cache = temporaryFolder(t);
  const gpuBuild = nativeBuild({gpu: true});
  if (gpuBuild === undefined) {
    t.pass('This platform has none');
    return;
  }
  // Without a GPU, the addon of the one build behaves as that of the other. Both are there, as two different folders.
  const {nodePackage} = await openEngine('native');
  const installed = join(nodePackage!.folder, '../../..');
  const copy = join(cache, 'native', basename(nativeBuildFolder(gpuBuild)!));
  cpSync(join(installed, 'node_modules'), join(copy, 'node_modules'), {recursive: true});
  symlinkSync(join(installed, 'python'), join(copy, 'python'));
  symlinkSync(installed, join(cache, 'native', basename(nativeBuildFolder(nativeBuild()!)!)));
  const env = {PALIMPSEST_CACHE: cache, CUDA_VISIBLE_DEVICES: '-1'};
  const forced = JSON.parse((await openElsewhere('gpu', {env})).stdout);
  t.regex(
    forced.message,
    /^Cannot open engine "gpu" as TensorFlow 2\.21\.0 found no GPU: check the driver with "nvidia-smi"/,
  );
  const automatic = JSON.parse((await openElsewhere('auto', {env})).stdout);
  t.is(automatic.name, 'native');
  // Only one TensorFlow may be loaded, and that is the one that looked for a GPU.
  t.is(automatic.folder, realpathSync(join(copy, 'node_modules/@tensorflow/tfjs-node')));
  t.is(automatic.skipped[0].reason, forced.message);
});

test('openEngine says how to repair an installed native engine whose addon is gone', async t => {
  const cache = temporaryFolder(t);
  const folder = join(
    cache,
    'native',
    basename(nativeBuildFolder(nativeBuild()!)!),
    'node_modules/@tensorflow/tfjs-node',
  );
  mkdirSync(folder, {recursive: true});
  const {stdout} = await openElsewhere('native', {env: {PALIMPSEST_CACHE: cache}});
  t.regex(
    JSON.parse(stdout).message,
    /does not load \(its addon tfjs_binding\.node was not built\): run "npx palimpsest native install"$/,
  );
});

test('openEngine says that the native engine was built for another processor or version', async t => {
  const cache = temporaryFolder(t);
  const folder = join(cache, 'native', `${nativeBuild()!.name}-01234567`);
  mkdirSync(folder, {recursive: true});
  const {stdout} = await openElsewhere('native', {env: {PALIMPSEST_CACHE: cache}});
  t.is(
    JSON.parse(stdout).message,
    `Cannot open engine "native" as the one in ${folder} was built for another processor or version: run "npx palimpsest native install"`,
  );
});

test("openEngine uses the project's tfjs-node, and no build of ours, where our sources are missing, as in a bundle", async t => {
  const bundle = temporaryFolder(t);
  const engineFolder = dirname(fileURLToPath(engineModule));
  for (const path of ['model/engine', 'errors.js']) {
    cpSync(join(engineFolder, '../..', path), join(bundle, 'dist', path), {recursive: true});
  }
  writeFileSync(join(bundle, 'package.json'), '{"type": "module"}');
  const installed = join(bundle, 'node_modules/@tensorflow/tfjs-node');
  mkdirSync(dirname(installed), {recursive: true});
  for (const name of ['tfjs', 'tfjs-backend-wasm']) {
    symlinkSync(realpathSync(join('node_modules/@tensorflow', name)), join(dirname(installed), name));
  }
  const options = {module: pathToFileURL(join(bundle, 'dist/model/engine/engine.js')).href, cwd: bundle};
  const without = JSON.parse((await openElsewhere('auto', options)).stdout);
  t.is(without.name, 'wasm');
  t.regex(without.skipped[1].reason, /^Cannot open engine "native" as TensorFlow is not installed: /);
  const {nodePackage} = await openEngine('native');
  symlinkSync(nodePackage!.folder, installed);
  t.is(JSON.parse((await openElsewhere('auto', options)).stdout).folder, nodePackage!.folder);
});

test("openEngine uses the project's tfjs-node, and says why when it cannot", async t => {
  const project = temporaryFolder(t);
  const env = {PALIMPSEST_CACHE: join(project, 'empty')};
  const installed = join(project, 'node_modules/@tensorflow/tfjs-node');
  const {nodePackage} = await openEngine('native');
  mkdirSync(dirname(installed), {recursive: true});
  symlinkSync(nodePackage!.folder, installed);
  const used = await openElsewhere('native', {cwd: project, env});
  t.is(JSON.parse(used.stdout).folder, nodePackage!.folder);

  rmSync(installed);
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), JSON.stringify({name: '@tensorflow/tfjs-node', version: '4.22.0'}));
  const unbuilt = await openElsewhere('native', {cwd: project, env});
  t.regex(JSON.parse(unbuilt.stdout).message, /tfjs-node in .* has no addon, as its install script did not run/);

  writeFileSync(join(installed, 'package.json'), JSON.stringify({name: '@tensorflow/tfjs-node', version: '4.20.0'}));
  const other = await openElsewhere('native', {cwd: project, env});
  t.regex(JSON.parse(other.stdout).message, /must have version 4\.22\.0: current value is 4\.20\.0/);
});

test('openEngine writes nothing to the terminal, unless the user asks TensorFlow to', async t => {
  const text = `import {openEngine} from '${engineModule}';
    for (const name of ['native', 'wasm', 'cpu']) (await openEngine(name)).tf.ones([2, 2]).sum().dataSync();`;
  t.deepEqual(await runModule(text), {stdout: '', stderr: '', code: 0});
  t.regex((await runModule(text, {env: {TF_CPP_MIN_LOG_LEVEL: '0'}})).stderr, /oneDNN|CPU instructions/);
});

test('prepareEngineEnvironment silences engines that are opened in workers, and refuses to run there', async t => {
  const text = `import {fileURLToPath, pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';
    import {prepareEngineEnvironment} from '${environmentModule}';
    prepareEngineEnvironment();
    const worker = new Worker(\`(async () => {
      const {openEngine} = await import('${engineModule}');
      console.log((await openEngine('native')).name);
      const {prepareEngineEnvironment} = await import('${environmentModule}');
      try { prepareEngineEnvironment(); } catch ({message}) { console.log(message); }
    })()\`, {eval: true});`;
  const {stdout, stderr} = await runModule(text);
  t.is(stderr, '');
  t.regex(stdout, /^native\nCannot prepare the environment .* current thread is a worker\n$/);
});

test('openEngine counts the threads that the user allows TensorFlow', async t => {
  const {stdout} = await runModule(
    `import {openEngine} from '${engineModule}';
    const {threads, description} = await openEngine('native');
    console.log(threads, description);`,
    {env: {TF_NUM_INTRAOP_THREADS: '1'}},
  );
  t.is(stdout, '1 TensorFlow 2.21.0 on 1 thread\n');
});
