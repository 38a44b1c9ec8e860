import {availableParallelism} from 'node:os';
import {EngineUnavailableError} from '../../errors.ts';
import type {Engine} from './engine.ts';
import {findNodePackages} from './find-node-packages.ts';
import {installCommand} from './install-command.ts';
import {loadedNodePackage, loadNodePackage, type NodePackage} from './load-node-package.ts';
import {markBuildUsed} from './mark-build-used.ts';
import {tfjs} from './tfjs.ts';

/** Opens TensorFlow through tfjs-node, from the user's project or from the cache. */
export async function openTensorflowEngine(name: 'gpu' | 'native'): Promise<Omit<Engine, 'skipped'>> {
  const tf = tfjs();
  const nodePackage = loadFirst(name, tf);
  if (name === 'gpu' && !nodePackage.usesGpu) {
    throw new EngineUnavailableError(
      `Cannot open engine "gpu" as TensorFlow ${nodePackage.tensorflowVersion} found no GPU: check the driver with "nvidia-smi", and see what TensorFlow misses with "TF_CPP_MIN_LOG_LEVEL=0 npx palimpsest doctor --engine gpu"`,
    );
  }
  if (name === 'native' && nodePackage.usesGpu) {
    throw new EngineUnavailableError(
      'Cannot open engine "native" as the TensorFlow that is installed computes on the GPU: set CUDA_VISIBLE_DEVICES=-1 to hide it',
    );
  }
  await tf.setBackend('tensorflow');
  const threads = threadCount();
  const where = nodePackage.usesGpu ? 'a GPU' : threads === 1 ? '1 thread' : `${threads} threads`;
  const description = `TensorFlow ${nodePackage.tensorflowVersion} on ${where}`;
  return {name, tf, description, tensorflowVersion: nodePackage.tensorflowVersion, threads, nodePackage};
}

function loadFirst(name: 'gpu' | 'native', tf: Engine['tf']): NodePackage {
  // Two TensorFlow libraries in one process break each other; the one for GPUs also computes without any.
  const loaded = loadedNodePackage();
  if (loaded !== undefined) return loaded;
  const reasons: string[] = [];
  const {folders, problems} = findNodePackages(name);
  for (const folder of folders) {
    try {
      const nodePackage = loadNodePackage(folder, tf);
      markBuildUsed(folder);
      return nodePackage;
    } catch (error) {
      reasons.push(`${folder} does not load (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  reasons.push(...problems);
  const [library, condition] =
    name === 'gpu' ? ['TensorFlow with CUDA', 'if there is an NVIDIA GPU, '] : ['TensorFlow', ''];
  const why = reasons.length > 0 ? reasons.join('; ') : `${library} is not installed`;
  const command = installCommand(name);
  const remedy = command === undefined ? 'there is none for this platform' : `${condition}run "${command}"`;
  throw new EngineUnavailableError(`Cannot open engine "${name}" as ${why}: ${remedy}`);
}

function threadCount(): number {
  const wanted = Number(process.env.TF_NUM_INTRAOP_THREADS);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : availableParallelism();
}
