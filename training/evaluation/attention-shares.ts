import {setImmediate} from 'node:timers/promises';
import {computeStep} from '../../model/compute-step.ts';
import {disposeTensors} from '../../model/dispose-tensors.ts';
import {emptyMemory} from '../../model/empty-memory.ts';
import {composedKernels} from '../../model/kernels/composed-kernels.ts';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import type {Kernels} from '../../model/kernels/kernels.ts';
import type {Memory} from '../../model/memory.ts';
import {updateCounts} from '../../model/memory-counts.ts';
import type {TensorData} from '../../model/memory-snapshot.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {prepareWeights} from '../../model/prepare-weights.ts';
import {tf} from '../../model/tf.ts';
import {tidy} from '../../model/tidy.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import {planUpdate} from '../../model/update-plan.ts';
import type {CorpusDocument} from '../documents/corpus.ts';
import {DocumentTokens} from '../documents/document-tokens.ts';

/** Where the attention of one layer goes; the three sum to 1. */
export type AttentionShares = {readonly segment: number; readonly memory: number; readonly compressedMemory: number};

export type AttentionSharesOptions = {
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly tokenizer: Tokenizer;
  /** Tokens that are read of each document at most. */
  readonly mostTokens: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The mean share of attention that each layer pays to segment, memory and compressed memory, over queries and heads, in segments read with full
 * memories.
 *
 * @returns One for each layer, and the segments that were counted; no layers if no memory was ever full.
 */
export async function attentionShares(
  documents: readonly CorpusDocument[],
  {config, weights, tokenizer, mostTokens, signal}: AttentionSharesOptions,
): Promise<{layers: readonly AttentionShares[]; segments: number}> {
  const {segmentLength: n, memoryLength, compressedMemoryLength, compressionRate} = config;
  const kernels = fusedKernels() ?? composedKernels;
  const prepared = tidy(() =>
    prepareWeights(config, {
      weight: name => tf.tensor(weights.get(name)!.data, weights.get(name)!.shape.slice()),
      kernels,
    }),
  );
  const sums = Array.from({length: config.layers}, () => ({segment: 0, memory: 0}));
  let segments = 0;
  try {
    for (const document of documents) {
      const tokens = new DocumentTokens(document, tokenizer);
      let memory = emptyMemory(1, config);
      try {
        for (let read = 0; read + n <= mostTokens && (await tokens.fill(n)) >= n; read += n) {
          // The engine blocks this thread: let signals in.
          await setImmediate();
          signal?.throwIfAborted();
          const {ids} = tokens.take(n);
          const [counts] = memory.counts;
          // Of memory, what does not make a whole slot of compressed memory waits.
          const full = counts!.memory > memoryLength - compressionRate && counts!.compressed === compressedMemoryLength;
          const {after, received} = readSegment(ids, memory, {config, prepared, kernels});
          disposeTensors(memory);
          memory = after;
          if (!full) continue;
          segments++;
          for (const [layer, mass] of received.entries()) {
            // Of n queries, each of which pays 1.
            for (let slot = 0; slot < mass.length; slot++) {
              sums[layer]![slot < memoryLength ? 'memory' : 'segment'] += mass[slot]! / n;
            }
          }
        }
      } finally {
        await tokens.close();
        disposeTensors(memory);
      }
    }
  } finally {
    disposeTensors(prepared);
  }
  if (segments === 0) return {layers: [], segments};
  const layers = sums.map(sum => {
    const [segment, memory] = [sum.segment / segments, sum.memory / segments];
    return {segment, memory, compressedMemory: compressedMemoryLength === 0 ? 0 : Math.max(0, 1 - segment - memory)};
  });
  return {layers, segments};
}

/** One segment of one document, and the attention that memory and segment receive in each layer. */
function readSegment(
  ids: Int32Array,
  memory: Memory,
  {
    config,
    prepared,
    kernels: given,
  }: {config: ModelConfig; prepared: ReturnType<typeof prepareWeights>; kernels: Kernels},
): {after: Memory; received: Float32Array[]} {
  const received: tf.Tensor[] = [];
  const kernels: Kernels = {
    ...given,
    attend: input => {
      const {mixed, received: mass} = given.attend({...input, needsReceived: true});
      received.push(mass!);
      return {mixed, ...(input.needsReceived && {received: mass!})};
    },
  };
  const [counts] = memory.counts;
  return tidy(() => {
    const {memory: after} = computeStep(
      {
        tokens: tf.tensor2d(ids.slice(), [1, ids.length], 'int32'),
        counts: tf.tensor2d([counts!.memory, counts!.compressed], [1, 2], 'int32'),
        lastHidden: memory.lastHidden,
        layers: memory.layers,
        plan: planUpdate([counts!], config),
      },
      {config, weights: prepared, kernels},
    );
    return {
      after: {...after!, counts: [updateCounts(counts!, config).counts]},
      received: received.map(mass => mass.dataSync() as Float32Array),
    };
  });
}
