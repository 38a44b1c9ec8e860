import {createRequire} from 'node:module';
import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';

const {CompressionTypes} = kafkajs;
const CompressionCodecs = kafkajs.CompressionCodecs as unknown as Record<number, () => Codec>;

type Codec = {
  compress(encoder: {readonly buffer: Buffer}): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
};

/** Names as `compression.type` of Kafka has them. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type CompressionName = (typeof compressionNames)[number];

const types = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;

const load = createRequire(import.meta.url);

/**
 * Registers the codecs that kafkajs lacks, and gives the type with which to write.
 *
 * @throws {RangeError} If `name` is unknown, or this release of Node.js cannot write it.
 */
export function compressionType(name: CompressionName): kafkajs.CompressionTypes {
  if (!compressionNames.includes(name)) {
    throw new RangeError(
      `Cannot write to Kafka as compression must be one of ${compressionNames.join(', ')}: current value is ${name}`,
    );
  }
  const zstdCompress = (zlib as {zstdCompressSync?: (bytes: Uint8Array) => Buffer}).zstdCompressSync;
  if (name === 'zstd' && zstdCompress === undefined) {
    throw new RangeError(
      `Cannot write to Kafka with compression zstd as Node.js must be 22.15 or later: current version is ${process.versions.node}; zstd can be read, and gzip, snappy and lz4 be written`,
    );
  }
  CompressionCodecs[types.snappy] = () => snappyCodec;
  CompressionCodecs[types.lz4] = () => lz4Codec();
  CompressionCodecs[types.zstd] = () => ({
    compress: async ({buffer}) => zstdCompress!(buffer),
    decompress: async bytes => {
      const {decompress} = load('fzstd') as typeof import('fzstd');
      return Buffer.from(decompress(bytes));
    },
  });
  return types[name];
}

function lz4Codec(): Codec {
  const {compressFrameSync, decompressFrameSync} = load('lz4-napi') as typeof import('lz4-napi');
  return {
    compress: async ({buffer}) => compressFrameSync(buffer),
    decompress: async bytes => decompressFrameSync(bytes),
  };
}

/** Java frames snappy blocks: this, version and lowest version that reads it, then blocks behind their lengths. */
const snappyMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const snappyVersions = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1]);
const snappyBlockBytes = 32 * 1024;

const snappyCodec: Codec = {
  async compress({buffer}) {
    const {compress} = load('snappyjs') as {compress(bytes: Buffer): Buffer};
    const parts: Buffer[] = [snappyMagic, snappyVersions];
    for (let start = 0; start < buffer.length; start += snappyBlockBytes) {
      const block = Buffer.from(compress(buffer.subarray(start, start + snappyBlockBytes)));
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      parts.push(length, block);
    }
    return Buffer.concat(parts);
  },
  async decompress(bytes) {
    const {uncompress} = load('snappyjs') as {uncompress(bytes: Buffer): Buffer};
    if (!bytes.subarray(0, snappyMagic.length).equals(snappyMagic)) return Buffer.from(uncompress(bytes));
    const parts: Buffer[] = [];
    for (let start = snappyMagic.length + snappyVersions.length; start < bytes.length; ) {
      const length = bytes.readInt32BE(start);
      parts.push(Buffer.from(uncompress(bytes.subarray(start + 4, start + 4 + length))));
      start += 4 + length;
    }
    return Buffer.concat(parts);
  },
};
