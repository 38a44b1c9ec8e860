import {createRequire} from 'node:module';
import {promisify} from 'node:util';
import * as zlib from 'node:zlib';

/** Compresses the records of a batch, as other clients of Kafka do. */
export type CompressionCodec = {
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
};

/** Those that are used are loaded. */
const load = createRequire(import.meta.url);

/** The codec that a batch's attributes name, or `undefined` if it is not compressed. Those registered with kafkajs do not matter. */
export function compressionCodec(number: number): CompressionCodec | undefined {
  return codecs[number];
}

const gzip: CompressionCodec = {compress: promisify(zlib.gzip), decompress: promisify(zlib.gunzip)};

/** Java frames snappy blocks: this, version and lowest version that reads it, then blocks behind their lengths. */
const snappyMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const snappyVersions = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1]);
const snappyBlockBytes = 32 * 1024;

const snappy: CompressionCodec = {
  async compress(bytes) {
    const {compress} = load('snappyjs') as {compress(bytes: Buffer): Buffer};
    const parts: Buffer[] = [snappyMagic, snappyVersions];
    for (let start = 0; start < bytes.length; start += snappyBlockBytes) {
      const block = Buffer.from(compress(bytes.subarray(start, start + snappyBlockBytes)));
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

const lz4: CompressionCodec = {
  async compress(bytes) {
    const {compressFrameSync} = load('lz4-napi') as typeof import('lz4-napi');
    return compressFrameSync(bytes);
  },
  async decompress(bytes) {
    const {decompressFrameSync} = load('lz4-napi') as typeof import('lz4-napi');
    return decompressFrameSync(bytes);
  },
};

const zstd: CompressionCodec = {
  async compress(bytes) {
    return (zlib as {zstdCompressSync?: (bytes: Uint8Array) => Buffer}).zstdCompressSync!(bytes);
  },
  async decompress(bytes) {
    const {decompress} = load('fzstd') as typeof import('fzstd');
    return Buffer.from(decompress(bytes));
  },
};

/** By their number in the attributes of a batch. */
const codecs: Readonly<Record<number, CompressionCodec>> = {1: gzip, 2: snappy, 3: lz4, 4: zstd};
