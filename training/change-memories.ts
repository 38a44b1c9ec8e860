import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {initialiseWeights} from '../model/weights/initialise-weights.ts';
import type {ContinuedModel} from './continued-model.ts';
import {fitCompressedPositions} from './fit-compressed-positions.ts';

type Memories = Omit<ContinuedModel, 'from'>;
type ConfigAndWeights = {readonly config: ModelConfig; readonly weights: ReadonlyMap<string, TensorData>};

/**
 * Gives a trained model other memories, or segments. What it has learnt stays; what its new memories need besides begins so that it reads on as well as it can
 * untrained: a compressor of its own rate as in {@link initialiseWeights}, the positions of a compressed memory fitted to those of the memory.
 *
 * @param options.seed As of {@link initialiseWeights}.
 * @throws {RangeError} If a length is out of range, or lengths do not go together.
 */
export function changeMemories(
  {config, weights}: ConfigAndWeights,
  changes: Memories,
  {seed}: {readonly seed: number},
): ConfigAndWeights {
  const changed = {...config, ...changes};
  const sameCompressor = changed.compressor === config.compressor && changed.compressionRate === config.compressionRate;
  const fitted = (name: string, initial: TensorData): TensorData => {
    const learnt = weights.get(name);
    if (learnt !== undefined && (sameCompressor || !name.includes('.compressor.'))) return learnt;
    const ofMemory = weights.get(name.replace('.compressed_position', '.position'));
    if (name.endsWith('.compressed_position_bias')) return ofMemory!;
    return name.endsWith('.compressed_position.weight') ? fitCompressedPositions(ofMemory!, changed) : initial;
  };
  const initial = initialiseWeights(changed, seed);
  return {config: changed, weights: new Map([...initial].map(([name, tensor]) => [name, fitted(name, tensor)]))};
}
