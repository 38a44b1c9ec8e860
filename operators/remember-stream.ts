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
import {timerDelay} from '../pipeline/timer-delay.ts';
import {DocumentTable} from './document-table.ts';
import type {Embedding} from './embedding.ts';
import type {OpenDocument} from './open-document.ts';
import type {ReadingStatistics} from './reading-statistics.ts';
import {type ReadSegment, SegmentReader} from './segment-reader.ts';
import type {SegmentTask} from './segment-task.ts';

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
  /**
   * Bytes of memories held open in the engine, or what tells them if they change; the least recently read are closed at checkpoints.
   *
   * @default 1 GiB
   */
  readonly openMemoryBytes?: number | (() => number);
  /**
   * Milliseconds after which a document is quiet: what of its text does not fill a segment is read as if it had ended, and emitted, as a
   * segment or, if `every` is `document`, as the document. Its memory stays as it was. A barrier then comes when the source's time for one does.
   *
   * @default Infinity
   */
  readonly idleMs?: number;
  /**
   * A document of which no record came for this long is forgotten, and begins anew with its next record. Time is that of the records: the
   * latest timestamp that was read, which counts up to the present.
   *
   * @default Infinity
   */
  readonly expireAfterMs?: number;
  /** Told of each segment that the model has read. */
  readonly onSegment?: (segment: ReadSegment) => void;
  /** Whether ill-formed UTF-8 ends the run, instead of being read as U+FFFD. @default false */
  readonly strict?: boolean;
  /** Asked for a barrier when more memories are open than `openMemoryBytes` allows, and told of what quiet documents give. */
  readonly checkpoints?: CheckpointSchedule;
  /** Ends reading in the middle of a record, and waiting for documents to become quiet; the stream then errors with its reason. */
  readonly signal?: AbortSignal;
};

/** Content is tokenised in pieces, so that one huge record neither holds up the event loop nor fills the memory. */
const pieceBytes = 64 * 1024;

const nothing = new Uint8Array(0);

/** Documents forgotten between two barriers because they expired: each is to be removed from a changelog. */
const expiredAtOnce = 1000;

/** Expired documents are looked for when this part of the time to expire has passed. */
const expiryLooks = 8;

/** Quiet documents are looked for so often within `idleMs`, so that they share batches. */
const idleLooks = 4;

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
  readonly #idleMs: number;
  readonly #expireAfterMs: number;
  readonly #statistics: ReadingStatistics;
  readonly #documents: DocumentTable;
  readonly #reader: SegmentReader;
  /** Ends the stream with an error. */
  readonly #fail: (error: unknown) => void;
  /** Documents with text that was not emitted yet, and since when they are quiet; the longest first. */
  readonly #quiet = new Map<string, number>();
  #idleTimer: NodeJS.Timeout | undefined;
  /** Latest event time of all records. */
  #now = Number.NEGATIVE_INFINITY;
  #expiryLook = Number.NEGATIVE_INFINITY;
  /** Records, and documents that became quiet, are read one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @throws {RangeError} If a number is out of range, or the tokenizer gives tokens that the model does not know. */
  constructor(options: RememberStreamOptions) {
    const {model, store, tokenizer, batch = 1, every = 'document'} = options;
    const {bufferedTokens = 131_072 * batch, openMemoryBytes = 2 ** 30, maxWaitMs = Number.POSITIVE_INFINITY} = options;
    const {idleMs = Number.POSITIVE_INFINITY, expireAfterMs = Number.POSITIVE_INFINITY, onSegment, signal} = options;
    for (const [name, value] of Object.entries({
      batch,
      bufferedTokens,
      ...(typeof openMemoryBytes === 'number' && {openMemoryBytes}),
    })) {
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
    for (const [name, value] of Object.entries({idleMs, expireAfterMs})) {
      if (value > 0) continue;
      throw new RangeError(`Cannot construct RememberStream as ${name} must be positive: current value is ${value}`);
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
      transform: (element, controller) =>
        this.#inTurn(async () => {
          if (!(element instanceof Checkpoint)) return this.#read(element);
          await this.#reader.finish();
          element.onCommit(await this.#documents.prepareCommit());
          controller.enqueue(element);
        }),
      flush: () =>
        this.#inTurn(() => {
          this.#stopWatching();
          return this.#reader.finish();
        }),
    });
    this.#options = options;
    this.#idleMs = idleMs;
    this.#expireAfterMs = expireAfterMs;
    this.#fail = error => output.error(error);
    signal?.addEventListener('abort', () => this.#stopWatching(), {once: true});
    this.#statistics = {
      documents: 0,
      segments: 0,
      tokens: 0,
      bytes: 0,
      replaced: 0,
      skippedRecords: 0,
      emptyDocuments: 0,
      expiredDocuments: 0,
    };
    this.#documents = new DocumentTable({
      model,
      store,
      openMemoryBytes: typeof openMemoryBytes === 'number' ? () => openMemoryBytes : openMemoryBytes,
    });
    this.#reader = new SegmentReader({
      model,
      every,
      batch,
      bufferedTokens,
      maxWaitMs,
      statistics: this.#statistics,
      signal,
      onSegment,
      emit: embedding => output.enqueue(embedding),
      // Reported even while no further record comes in whose reading could fail.
      fail: this.#fail,
    });
  }

  /** What was done so far; changes as reading goes on. */
  get statistics(): Readonly<ReadingStatistics> {
    return this.#statistics;
  }

  /** Documents whose memories are open in the engine, or that are not stored yet, and the bytes of their memories there. */
  get hot(): {readonly documents: number; readonly bytes: number} {
    return this.#documents.hot;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#idleMs === Number.POSITIVE_INFINITY) return work();
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #read(record: StreamRecord<DocumentChunk>): Promise<void> {
    const document = await this.#openInTime(record);
    if (document === undefined) {
      this.#statistics.skippedRecords++;
      return;
    }
    const {content, last, forget} = record.value;
    this.#quiet.delete(record.key);
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
      this.#readTail(document, {...record, partial: false});
      await this.#reader.startDue();
    } else if (this.#idleMs < Number.POSITIVE_INFINITY && content.length > 0) {
      this.#quiet.set(record.key, performance.now());
      this.#watchQuiet();
    }
    if (forget) {
      await this.#reader.finish();
      await this.#documents.forget(document.id);
    }
    if (this.#documents.overfull) this.#options.checkpoints?.request();
  }

  #tokenise(document: OpenDocument, content: Uint8Array, record: StreamRecord<DocumentChunk>): Tokens {
    const {ids, byteLengths, carry, replaced} = this.#options.tokenizer.push(document.carry, content, false);
    this.#countReplaced(replaced, document, record);
    document.carry = carry;
    return {ids, byteLengths};
  }

  #countReplaced(replaced: number, {id}: OpenDocument, {position}: Pick<StreamRecord<unknown>, 'position'>): void {
    this.#statistics.replaced += replaced;
    if (replaced === 0 || !this.#options.strict) return;
    throw new DecodeError(
      `Cannot read document "${id}" as its text must be well-formed UTF-8: it is not, at or before offset ${position.offset} of ${position.partition}; convert it, or read it without strict`,
    );
  }

  /** Opens the document of a record, anew if the one that was has expired; `undefined` if the record is part of its memory already. */
  async #openInTime(record: StreamRecord<DocumentChunk>): Promise<OpenDocument | undefined> {
    const expireAfterMs = this.#expireAfterMs;
    const document = await this.#documents.open(record);
    if (expireAfterMs === Number.POSITIVE_INFINITY) return document;
    // A clock that is wrong somewhere must not let everything expire.
    this.#now = Math.max(this.#now, Math.min(record.timestamp, Date.now()));
    const limit = this.#now - expireAfterMs;
    let current = document;
    if (document?.position !== undefined && document.timestamp < limit) {
      await this.#expire(record.key);
      current = await this.#documents.open(record);
    }
    if (this.#now - this.#expiryLook >= expireAfterMs / expiryLooks) await this.#forgetExpired(limit);
    return current;
  }

  async #forgetExpired(limit: number): Promise<void> {
    let count = 0;
    for await (const id of this.#documents.readBefore(limit)) {
      await this.#expire(id);
      if (++count < expiredAtOnce) continue;
      // The others once these are stored as forgotten.
      this.#options.checkpoints?.request();
      return;
    }
    this.#expiryLook = this.#now;
  }

  async #expire(id: string): Promise<void> {
    if (this.#quiet.delete(id)) await this.#readQuietTail(id);
    await this.#reader.finish();
    await this.#documents.forget(id);
    this.#statistics.expiredDocuments++;
  }

  #watchQuiet(): void {
    const {signal} = this.#options;
    if (this.#idleTimer !== undefined || this.#quiet.size === 0 || signal?.aborted) return;
    this.#idleTimer = setTimeout(
      () => {
        this.#idleTimer = undefined;
        this.#inTurn(() => this.#readQuiet()).then(() => this.#watchQuiet(), this.#fail);
      },
      timerDelay(this.#idleMs / idleLooks),
    );
  }

  #stopWatching(): void {
    clearTimeout(this.#idleTimer);
    this.#quiet.clear();
  }

  /** Emits what waits of documents that have been quiet for long enough. */
  async #readQuiet(): Promise<void> {
    let any = false;
    for (const [id, since] of this.#quiet) {
      if (performance.now() - since < this.#idleMs) break;
      this.#quiet.delete(id);
      await this.#readQuietTail(id);
      any = true;
    }
    if (!any) return;
    await this.#reader.finish();
    this.#options.checkpoints?.count(1);
  }

  async #readQuietTail(id: string): Promise<void> {
    const document = await this.#documents.reopen(id);
    if (document === undefined) return;
    const {position, timestamp} = document;
    this.#readTail(document, {position: position!, timestamp, partial: this.#options.every === 'segment'});
    await this.#reader.startDue();
  }

  /**
   * Reads what waits for more to come as if nothing did. The memory stays as it is, so that it does not depend on where a source happened
   * to pause.
   */
  #readTail(document: OpenDocument, end: TailEnd): void {
    const {partial} = end;
    const {segmentLength} = this.#options.model.config;
    const {ids, byteLengths, replaced} = this.#options.tokenizer.push(document.carry, nothing, true);
    if (!partial) this.#countReplaced(replaced, document, end);
    const held = document.pending.all();
    const tail = {
      ids: concatenate(held.ids, ids),
      byteLengths: concatenate(held.byteLengths, byteLengths),
    };
    if (tail.ids.length < segmentLength) {
      if (!partial || tail.ids.length > 0) {
        this.#reader.add({...task(document, tail, end), tail: true, final: !partial, partial});
      }
      return;
    }
    // A whole segment would advance the memory: a copy of it takes the tail instead.
    const memory = `${document.id}\0tail`;
    for (let start = 0; start <= tail.ids.length; start += segmentLength) {
      const tokens = {
        ids: tail.ids.slice(start, start + segmentLength),
        byteLengths: tail.byteLengths.slice(start, start + segmentLength),
      };
      const ends = start + segmentLength > tail.ids.length;
      const part = {memory, fork: start === 0, tail: true, final: ends && !partial, partial: ends && partial};
      this.#reader.add({...task(document, tokens, end), ...part});
    }
  }
}

/** A document's last record so far, and whether the document is only quiet behind it. */
type TailEnd = Pick<StreamRecord<unknown>, 'position' | 'timestamp'> & {readonly partial: boolean};

/** A segment that the document's own memory reads and keeps. */
function task(
  document: OpenDocument,
  tokens: Tokens,
  {position, timestamp}: Pick<StreamRecord<unknown>, 'position' | 'timestamp'>,
): SegmentTask {
  return {
    document,
    memory: document.id,
    fork: false,
    tokens,
    position,
    timestamp,
    tail: false,
    final: false,
    partial: false,
    since: performance.now(),
  };
}

function concatenate(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
