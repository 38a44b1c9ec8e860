import type {MemoryRecord} from '../../memory-store/memory-record.ts';

/** A record whose every field and array depends on `seed`; about `bytes` of tensors. */
export function sampleMemoryRecord(seed: number, {bytes = 256}: {bytes?: number} = {}): MemoryRecord {
  const width = 8;
  const slots = Math.max(1, Math.floor(bytes / 4 / width / 4));
  const values = (length: number) => {
    const array = new Float32Array(length);
    for (let i = 0; i < length; i++) array[i] = (((seed * 37 + i * 11) % 1009) - 500) / 7;
    return array;
  };
  return {
    fingerprint: `sha256:model-${seed % 2}`,
    position: {partition: `books/${seed % 3}`, offset: 2n ** 62n + BigInt(seed)},
    timestamp: 1_700_000_000_000 + seed,
    segments: seed,
    carry: Uint8Array.of(0xe2, 0x82, seed & 0xff),
    pendingTokens: Int32Array.of(seed, -1, 2 ** 31 - 1, seed + 1),
    pendingByteLengths: Int32Array.of(1, 2, 3, 4),
    summary: {
      tokens: seed * 128,
      bytes: 2 ** 40 + seed,
      bits: seed + 1 / 3,
      hiddenSum: Float64Array.from({length: width}, (_, i) => Math.PI * seed + i / 7),
      lexicalCounts: Uint32Array.of(seed, 0, 2 ** 32 - 1),
      lastToken: seed + 7,
    },
    memory: {
      memoryCount: slots,
      compressedMemoryCount: slots,
      tensors: {
        memory: {shape: [2, slots, width], data: values(2 * slots * width)},
        compressedMemory: {shape: [2, slots, width], data: values(2 * slots * width)},
        lastHidden: {shape: [width], data: values(width)},
      },
    },
  };
}
