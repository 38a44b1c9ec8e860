import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';

const {CompressionTypes} = kafkajs;

/** Names as `compression.type` of Kafka has them. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** One of {@link compressionNames}. */
export type CompressionName = (typeof compressionNames)[number];

const types = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;

/**
 * The type with which kafkajs is told to write.
 *
 * @throws {RangeError} If `name` is unknown, or this release of Node.js cannot write it.
 */
export function compressionType(name: CompressionName): kafkajs.CompressionTypes {
  if (!compressionNames.includes(name)) {
    throw new RangeError(
      `Cannot write to Kafka as compression must be one of ${compressionNames.join(', ')}: current value is ${name}`,
    );
  }
  if (name === 'zstd' && !('zstdCompressSync' in zlib)) {
    throw new RangeError(
      `Cannot write to Kafka with compression zstd as Node.js must be 22.15 or later: current version is ${process.versions.node}; zstd can be read, and gzip, snappy and lz4 be written`,
    );
  }
  return types[name];
}
