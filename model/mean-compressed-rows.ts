import type {Memory} from './memory.ts';

/**
 * The mean of the compressed rows of each layer, for some rows of a batch of memories, added up in float64 in the order of slots so that it depends on
 * nothing else of the batch.
 *
 * @returns For each row [l · d], or empty if nothing is compressed yet.
 */
export function meanCompressedRows(memory: Memory, rows: readonly number[]): Float32Array[] {
  const batch = memory.counts.length;
  const layers = memory.layers.map(({compressedRows}) => compressedRows);
  const d = memory.lastHidden.shape[1];
  const filled = (row: number) => memory.counts[row]!.compressed;
  const means = rows.map(row => new Float32Array(filled(row) === 0 ? 0 : layers.length * d));
  for (const [layer, tensor] of layers.entries()) {
    if (tensor === undefined || means.every(({length}) => length === 0)) continue;
    const data = tensor.dataSync() as Float32Array; // [B, n_cm, d]
    const rowSize = data.length / batch;
    for (const [position, row] of rows.entries()) {
      const count = filled(row);
      if (count === 0) continue;
      const sum = new Float64Array(d);
      const end = (row + 1) * rowSize;
      for (let start = end - count * d; start < end; start += d) {
        for (let j = 0; j < d; j++) sum[j]! += data[start + j]!;
      }
      means[position]!.set(
        sum.map(value => value / count),
        layer * d,
      );
    }
  }
  return means;
}
