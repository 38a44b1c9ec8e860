import type {TensorData} from '../model/memory-snapshot.ts';
import type {ModelConfig} from '../model/model-config.ts';
import {sinusoidTable} from '../model/sinusoid-table.ts';
import {solvePositiveDefinite} from './solve-positive-definite.ts';

/** Of the squares' mean: enough to keep out what only the sum of large numbers fits. */
const ridge = 0.01;

/**
 * W_r,cm that takes the c tokens of a compressed slot for where they stood: R[δ] W_r,cm is as near as can be, over all queries and slots, to
 * R[distance in tokens] W_r of the middle of the slot's window (docs/model.md, "One step").
 *
 * @param position W_r. [d, d]
 * @returns [d, d]
 */
export function fitCompressedPositions(
  position: TensorData,
  {segmentLength, memoryLength, compressedMemoryLength, compressionRate, modelWidth: d}: ModelConfig,
): TensorData {
  const squares = new Float64Array(d * d);
  const products = new Float64Array(d * d);
  let pairs = 0;
  // Of all pairs of a query and a slot with one δ, which the table cannot tell apart, the mean counts.
  for (let delta = 1; delta < segmentLength + compressedMemoryLength; delta++) {
    const distances: number[] = [];
    for (let slot = Math.max(1, delta - segmentLength + 1); slot <= Math.min(delta, compressedMemoryLength); slot++) {
      distances.push(delta - slot + memoryLength + compressionRate * (slot - 0.5) + 0.5);
    }
    const from = sinusoidTable([delta], d);
    const to = sinusoidTable(distances, d);
    pairs += distances.length;
    for (let column = 0; column < d; column++) {
      let sum = 0;
      for (let row = 0; row < distances.length; row++) sum += to[row * d + column]!;
      for (let i = 0; i < d; i++) {
        squares[i * d + column]! += distances.length * from[i]! * from[column]!;
        products[i * d + column]! += from[i]! * sum;
      }
    }
  }
  for (let i = 0; i < d; i++) squares[i * d + i]! += (ridge * pairs) / d;
  const moved = solvePositiveDefinite(squares, products, d);
  const data = new Float32Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let column = 0; column < d; column++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += moved[i * d + j]! * position.data[j * d + column]!;
      data[i * d + column] = sum;
    }
  }
  return {shape: [d, d], data};
}
