import type {MemoryRecord} from '../memory-store/memory-record.ts';
import {LexicalCounts} from '../model/lexical/lexical-counts.ts';
import type {MemorySnapshot} from '../model/memory-snapshot.ts';
import type {Model} from '../model/model.ts';
import type {Position} from '../pipeline/position.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {RunningSummary} from './running-summary.ts';
import {TokenBuffer} from './token-buffer.ts';

const emptyMemory: MemorySnapshot = {memoryCount: 0, compressedMemoryCount: 0, tensors: {}};

/** What a document needs to know of the model that reads it. */
type DocumentModel = Pick<Model, 'config' | 'summary'>;

/** A document that is being read: everything of its memory record but the tensors, which the model holds open. */
export class OpenDocument {
  readonly id: string;
  position: Position | undefined;
  /** Latest event time of its records. */
  timestamp = 0;
  segments = 0;
  carry: Uint8Array = new Uint8Array(0);
  pending = new TokenBuffer();
  readonly summary: RunningSummary;
  /** Counts changes, so that a checkpoint can tell whether the document has moved on since. */
  version = 0;
  /** The version that a checkpoint has taken to be stored; such are committed in order, or the run ends. */
  takenVersion = 0;
  /** The version that is in the store. */
  storedVersion = 0;
  /** Whether the source knew of nothing more for it. */
  ended = false;

  constructor(id: string, model: DocumentModel, kept?: MemoryRecord['summary']) {
    this.id = id;
    this.summary = new RunningSummary(model.config.modelWidth, {lexical: countsOf(model, kept)});
    if (kept !== undefined) this.summary.add(kept);
  }

  /** A document as it was stored. */
  static fromRecord(id: string, record: MemoryRecord, model: DocumentModel): OpenDocument {
    const document = new OpenDocument(id, model, record.summary);
    document.position = record.position;
    document.timestamp = record.timestamp;
    document.segments = record.segments;
    document.carry = record.carry;
    document.pending = new TokenBuffer({ids: record.pendingTokens, byteLengths: record.pendingByteLengths});
    return document;
  }

  /** Key of the document's memory in the model. Keys that begin with one NUL are of copies. */
  get memory(): string {
    return this.id.startsWith('\0') ? `\0${this.id}` : this.id;
  }

  /** Key of a copy of the memory, which no document's memory has. */
  copyName(purpose: string): string {
    return `\0${purpose} ${this.id}`;
  }

  /** Whether a record is part of this memory already. */
  covers({position}: StreamRecord<unknown>): boolean {
    return this.position?.partition === position.partition && position.offset <= this.position.offset;
  }

  /** Notes that a record has been read. */
  moveTo({position, timestamp}: StreamRecord<unknown>): void {
    this.timestamp = this.position === undefined ? timestamp : Math.max(this.timestamp, timestamp);
    this.position = position;
  }

  /** What is to be stored; the tensors come from the model. */
  toRecord(fingerprint: string): (memory: MemorySnapshot | undefined) => MemoryRecord {
    const {ids, byteLengths} = this.pending.all();
    const {tokens, bytes, bits, hiddenSum, lexical} = this.summary;
    const fields = {
      fingerprint,
      position: this.position!,
      timestamp: this.timestamp,
      segments: this.segments,
      carry: this.carry,
      pendingTokens: ids,
      pendingByteLengths: byteLengths,
      summary: {
        tokens,
        bytes,
        bits,
        hiddenSum: this.segments === 0 ? new Float64Array(0) : hiddenSum.slice(),
        lexicalCounts: this.segments === 0 || lexical === undefined ? new Uint32Array(0) : lexical.counts.slice(),
        lastToken: lexical?.lastToken ?? -1,
      },
    };
    return (memory = emptyMemory) => ({...fields, memory});
  }
}

/** Counts to count on with, if the model has a summary head. */
function countsOf({summary}: DocumentModel, kept: MemoryRecord['summary'] | undefined): LexicalCounts | undefined {
  if (summary === undefined) return undefined;
  const {sizes} = summary;
  if (kept === undefined || kept.lexicalCounts.length === 0) return new LexicalCounts(sizes);
  return LexicalCounts.restore({counts: kept.lexicalCounts, lastToken: kept.lastToken}, sizes);
}
