import {CorruptMemoryError} from '../../errors.ts';
import {decodeMemoryRecord} from '../../memory-store/decode-memory-record.ts';
import {encodeMemoryRecord} from '../../memory-store/encode-memory-record.ts';
import {encodeOnce} from '../../memory-store/encode-once.ts';
import type {LentBuffers} from '../../memory-store/lent-buffers.ts';
import type {MemoryDtype} from '../../memory-store/memory-dtype.ts';
import type {MemoryRecord} from '../../memory-store/memory-record.ts';
import type {MemoryChange} from '../../memory-store/memory-store.ts';
import type {FetchedMessage, OutgoingMessage} from './kafka-client.ts';

/**
 * A memory is spread over messages of this size, so that brokers, replicas and clients never see a large one. Their keys are
 * `<index>:<document>`, so that compaction keeps the latest of each.
 */
const chunkBytes = 512 * 1024;

const progressKey = 'progress';

/** How far the input is read as of a checkpoint; the last message of each in the changelog. */
export type ChangelogProgress = {
  readonly nextOffset: bigint;
  /** The model that wrote the memories, if it is known. */
  readonly fingerprint: string | undefined;
  /** Of the input, if it is known. */
  readonly topicId: string | undefined;
};

/** The messages that store a memory, to be sent before the buffers are given back. */
export function memoryMessages(
  documentId: string,
  record: MemoryRecord,
  {dtype, checkpoint, buffers}: {dtype: MemoryDtype; checkpoint: bigint; buffers: LentBuffers},
): OutgoingMessage[] {
  // The local store is given the same record.
  const bytes = encodeOnce(record, {dtype, buffers});
  const count = chunksOf(record, bytes.length);
  const headers = {chunks: String(count), checkpoint: checkpoint.toString()};
  return Array.from({length: count}, (_, index) => ({
    key: `${index}:${documentId}`,
    value: bytes.subarray(index * chunkBytes, index === count - 1 ? bytes.length : (index + 1) * chunkBytes),
    headers,
  }));
}

/**
 * The tombstones that remove every message of a memory.
 *
 * @param record The memory as it is stored; a document that is not has one message at most.
 */
export function forgetMessages(documentId: string, record: MemoryRecord | undefined): OutgoingMessage[] {
  // float32, as the changelog may have been written with it once. One more, for what alignment adds.
  const chunks = record === undefined ? 1 : chunksOf(record, encodeMemoryRecord(record).length) + 1;
  return Array.from({length: chunks}, (_, index) => ({key: `${index}:${documentId}`, value: undefined}));
}

export function progressMessage({nextOffset, ...about}: ChangelogProgress): OutgoingMessage {
  return {key: progressKey, value: Buffer.from(JSON.stringify({nextOffset: nextOffset.toString(), ...about}))};
}

/**
 * Number of messages of a memory. Waiting tokens do not count, which come and go: so the number never falls while a document
 * grows, and no message of an older, longer memory is left behind.
 */
function chunksOf({pendingTokens, carry}: MemoryRecord, bytes: number): number {
  return Math.max(1, Math.ceil((bytes - pendingTokens.byteLength * 2 - carry.length) / chunkBytes));
}

/** Puts memories together again from a changelog's messages in order. */
export class ChangelogReader {
  /** The latest that was read. */
  progress: ChangelogProgress | undefined;
  /** Where that lies. */
  progressOffset: bigint | undefined;
  #parts: Uint8Array[] = [];
  #assembling:
    | {readonly documentId: string; readonly chunks: number; readonly checkpoint: string; readonly offset: bigint}
    | undefined;

  /** Offset of the first message of a memory whose other messages have not been read yet. */
  get unfinishedOffset(): bigint | undefined {
    return this.#assembling?.offset;
  }

  /** @returns The change that the message completes. */
  push({offset, key, value, headers}: FetchedMessage): MemoryChange | undefined {
    const name = Buffer.from(key ?? []).toString();
    if (name === progressKey && value !== undefined) {
      this.progress = parseProgress(value);
      this.progressOffset = offset;
      return undefined;
    }
    const colon = name.indexOf(':');
    const index = Number(name.slice(0, colon));
    const documentId = name.slice(colon + 1);
    if (value === undefined) return index === 0 ? [documentId, undefined] : undefined;
    const checkpoint = text(headers.checkpoint);
    if (index === 0) {
      this.#parts = [];
      this.#assembling = {documentId, chunks: Number(text(headers.chunks)), checkpoint, offset};
    }
    const {documentId: expected, chunks, checkpoint: begun} = this.#assembling ?? {};
    // What does not go on is the rest of a memory whose other messages compaction has removed: a later one follows.
    if (expected !== documentId || begun !== checkpoint || index !== this.#parts.length) return undefined;
    this.#parts.push(value);
    if (this.#parts.length < chunks!) return undefined;
    const whole = this.#parts.length === 1 ? value : Buffer.concat(this.#parts);
    // A single part lies in the answer of a broker, all of which would be kept.
    const keep = whole !== value;
    this.#parts = [];
    this.#assembling = undefined;
    return [documentId, decodeMemoryRecord(whole, documentId, {keep})];
  }
}

function parseProgress(value: Uint8Array): ChangelogProgress {
  try {
    const {nextOffset, fingerprint, topicId} = JSON.parse(Buffer.from(value).toString()) as {
      nextOffset: string;
      fingerprint?: string;
      topicId?: string;
    };
    return {nextOffset: BigInt(nextOffset), fingerprint, topicId};
  } catch (cause) {
    throw new CorruptMemoryError(
      'Cannot read the changelog as its progress must be what Palimpsest writes: it is not; something else writes to the topic',
      {cause},
    );
  }
}

function text(header: Uint8Array | undefined): string {
  return Buffer.from(header ?? []).toString();
}
