import {TransformStream, type TransformStreamDefaultController} from 'node:stream/web';
import {DecodeError} from '../errors.ts';
import type {MemoryStore} from '../memory-store/memory-store.ts';
import type {Model} from '../model/model.ts';
import type {Tokenizer, Tokens} from '../model/tokenizer/tokenizer.ts';
import {Checkpoint} from '../pipeline/checkpoint.ts';
import type {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import type {DocumentChunk} from '../pipeline/document-chunk.ts';
import type {Element} from '../pipeline/element.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {DocumentTable} from './document-table.ts';
import type {Embedding} from './embedding.ts';
import type {OpenDocument} from './open-document.ts';
import type {ReadingStatistics} from './reading-statistics.ts';
import {SegmentReader} from './segment-reader.ts';

export type RememberStreamOptions = {
  readonly model: Model;
  readonly store: MemoryStore;
  readonly tokenizer: Tokenizer;
  /** Which embeddings to emit: one for each segment and one for the document, or the latter alone. @default 'document' */
  readonly every?: 'segment' | 'document';
  /** Documents read in one step. @default 1 */
  readonly batch?: number;
  /** Tokens that may wait for batches to fill, over all documents. @default 131,072 for each row of the batch */
  readonly bufferedTokens?: number;
  /**
   * Milliseconds that a segment may wait for others to fill its batch, for sources that trickle. What is read of a document stays the same
   * to the bit; the order in which documents have their turn then depends on time. Without it, batches wait until they are full, until a
   * barrier or the end comes, or until `bufferedTokens` wait.
   *
   * @default Infinity
   */
  readonly maxWaitMs?: number;
  /** Bytes of memories held open in the engine; the least recently read are closed at checkpoints. @default 1 GiB */
  readonly openMemoryBytes?: number;
  /** Whether ill-formed UTF-8 ends the run, instead of being read as U+FFFD. @default false */
  readonly strict?: boolean;
  /** Asked for a barrier when more memories are open than `openMemoryBytes` allows. */
  readonly checkpoints?: CheckpointSchedule;
  /** Ends reading in the middle of a record; the stream then errors with its reason. */
  readonly signal?: AbortSignal;
};

/** Content is tokenised in pieces, so that one huge record neither holds up the event loop nor fills the memory. */
const pieceBytes = 64 * 1024;

const nothing = new Uint8Array(0);

/**
 * Reads documents with a model: tokenises, cuts segments, steps them in batches, keeps each document's memory, and emits embeddings.
 *
 * Tokeniser, segmenter and running embedding live in here because what they hold back belongs to the document's memory record: kept
 * apart from it, a crash between two writes would lose or double tokens.
 *
 * A barrier waits until everything before it has been read. The memories are then written when the sink commits, while reading goes on.
 */
export class RememberStream extends TransformStream<
  Element<StreamRecord<DocumentChunk>>,
  Element<StreamRecord<Embedding>>
> {
  readonly #options: RememberStreamOptions;
  readonly #statistics: ReadingStatistics;
  readonly #documents: DocumentTable;
  readonly #reader: SegmentReader;

  /** @throws {RangeError} If a number is out of range, or the tokenizer gives tokens that the model does not know. */
  constructor(options: RememberStreamOptions) {
    const {model, store, tokenizer, batch = 1, every = 'document'} = options;
    const {bufferedTokens = 131_072 * batch, openMemoryBytes = 2 ** 30, maxWaitMs = Number.POSITIVE_INFINITY} = options;
    for (const [name, value] of Object.entries({batch, bufferedTokens, openMemoryBytes})) {
      if (Number.isSafeInteger(value) && value > 0) continue;
      throw new RangeError(
        `Cannot construct RememberStream as ${name} must be a positive integer: current value is ${value}`,
      );
    }
    if (!(maxWaitMs >= 0)) {
      throw new RangeError(
        `Cannot construct RememberStream as maxWaitMs must be 0 or more: current value is ${maxWaitMs}`,
      );
    }
    if (tokenizer.vocabularySize > model.config.vocabularySize) {
      throw new RangeError(
        `Cannot construct RememberStream as the model knows ${model.config.vocabularySize} tokens: the tokenizer has ${tokenizer.vocabularySize}`,
      );
    }
    let output: TransformStreamDefaultController<Element<StreamRecord<Embedding>>>;
    super({
      start: controller => {
        output = controller;
      },
      transform: async (element, controller) => {
        if (!(element instanceof Checkpoint)) return this.#read(element);
        await this.#reader.finish();
        element.onCommit(await this.#documents.prepareCommit());
        controller.enqueue(element);
      },
      flush: () => this.#reader.finish(),
    });
    this.#options = options;
    this.#statistics = {
      documents: 0,
      segments: 0,
      tokens: 0,
      bytes: 0,
      replaced: 0,
      skippedRecords: 0,
      emptyDocuments: 0,
    };
    this.#documents = new DocumentTable({model, store, openMemoryBytes});
    this.#reader = new SegmentReader({
      model,
      every,
      batch,
      bufferedTokens,
      maxWaitMs,
      statistics: this.#statistics,
      signal: options.signal,
      emit: embedding => output.enqueue(embedding),
      // Reported even while no further record comes in whose reading could fail.
      fail: error => output.error(error),
    });
  }

  /** What was done so far; changes as reading goes on. */
  get statistics(): Readonly<ReadingStatistics> {
    return this.#statistics;
  }

  async #read(record: StreamRecord<DocumentChunk>): Promise<void> {
    const document = await this.#documents.open(record);
    if (document === undefined) {
      this.#statistics.skippedRecords++;
      return;
    }
    const {content, last, forget} = record.value;
    document.version++;
    document.ended = last;
    for (let start = 0; start < content.length; start += pieceBytes) {
      document.pending.push(this.#tokenise(document, content.subarray(start, start + pieceBytes), record));
      for (const tokens of document.pending.takeSegments(this.#options.model.config.segmentLength)) {
        this.#reader.add(task(document, tokens, record));
      }
      await this.#reader.startDue();
    }
    document.position = record.position;
    document.timestamp = record.timestamp;
    if (last) {
      this.#readTail(document, record);
      await this.#reader.startDue();
    }
    if (forget) {
      await this.#reader.finish();
      await this.#documents.forget(document);
    }
    if (this.#documents.overfull) this.#options.checkpoints?.request();
  }

  #tokenise(document: OpenDocument, content: Uint8Array, record: StreamRecord<DocumentChunk>): Tokens {
    const {ids, byteLengths, carry, replaced} = this.#options.tokenizer.push(document.carry, content, false);
    this.#countReplaced(replaced, document, record);
    document.carry = carry;
    return {ids, byteLengths};
  }

  #countReplaced(replaced: number, {id}: OpenDocument, {position}: StreamRecord<DocumentChunk>): void {
    this.#statistics.replaced += replaced;
    if (replaced === 0 || !this.#options.strict) return;
    throw new DecodeError(
      `Cannot read document "${id}" as its text must be well-formed UTF-8: it is not, at or before offset ${position.offset} of ${position.partition}; convert it, or read it without strict`,
    );
  }

  /**
   * Reads what waits for more to come as if nothing did. The memory stays as it is, so that it does not depend on where a source happened
   * to pause.
   */
  #readTail(document: OpenDocument, record: StreamRecord<DocumentChunk>): void {
    const {segmentLength} = this.#options.model.config;
    const {ids, byteLengths, replaced} = this.#options.tokenizer.push(document.carry, nothing, true);
    this.#countReplaced(replaced, document, record);
    const held = document.pending.all();
    const tail = {
      ids: concatenate(held.ids, ids),
      byteLengths: concatenate(held.byteLengths, byteLengths),
    };
    if (tail.ids.length < segmentLength) {
      this.#reader.add({...task(document, tail, record), tail: true, final: true});
      return;
    }
    // A whole segment would advance the memory: a copy of it takes the tail instead.
    const memory = `${document.id}\0tail`;
    for (let start = 0; start <= tail.ids.length; start += segmentLength) {
      const tokens = {
        ids: tail.ids.slice(start, start + segmentLength),
        byteLengths: tail.byteLengths.slice(start, start + segmentLength),
      };
      const final = start + segmentLength > tail.ids.length;
      this.#reader.add({...task(document, tokens, record), memory, fork: start === 0, tail: true, final});
    }
  }
}

/** A segment that the document's own memory reads and keeps. */
function task(document: OpenDocument, tokens: Tokens, {position, timestamp}: StreamRecord<DocumentChunk>) {
  return {document, memory: document.id, fork: false, tokens, position, timestamp, tail: false, final: false};
}

function concatenate(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
