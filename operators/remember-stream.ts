import {TransformStream, type TransformStreamDefaultController} from 'node:stream/web';
import {DecodeError} from '../errors.ts';
import type {Tokens} from '../model/tokenizer/tokenizer.ts';
import {Checkpoint} from '../pipeline/checkpoint.ts';
import type {DocumentChunk} from '../pipeline/document-chunk.ts';
import type {Element} from '../pipeline/element.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {DocumentExpiry} from './document-expiry.ts';
import {documentSegment} from './document-segment.ts';
import {DocumentTable} from './document-table.ts';
import type {Embedding} from './embedding.ts';
import type {OpenDocument} from './open-document.ts';
import {QuietDocuments} from './quiet-documents.ts';
import type {ReadingStatistics} from './reading-statistics.ts';
import type {RememberStreamOptions} from './remember-stream-options.ts';
import {type ResolvedRememberOptions, resolveRememberOptions} from './resolve-remember-options.ts';
import {SegmentReader} from './segment-reader.ts';
import {type TailEnd, tailSegments} from './tail-segments.ts';

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
  readonly #options: ResolvedRememberOptions;
  readonly #statistics: ReadingStatistics;
  readonly #documents: DocumentTable;
  readonly #reader: SegmentReader;
  readonly #quiet: QuietDocuments;
  readonly #expiry: DocumentExpiry;
  /** Records, and documents that became quiet, are read one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** @throws {RangeError} If a number is out of range, or the tokenizer gives tokens that the model does not know. */
  constructor(options: RememberStreamOptions) {
    const resolved = resolveRememberOptions(options);
    const {expireAfterMs, idleMs, checkpoints, signal} = resolved;
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
          this.#expiry.onBarrier();
          controller.enqueue(element);
        }),
      flush: () =>
        this.#inTurn(() => {
          this.#quiet.stop();
          return this.#reader.finish();
        }),
    });
    this.#options = resolved;
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
    // Reported even while no further record comes in whose reading could fail.
    const fail = (error: unknown) => output.error(error);
    this.#documents = new DocumentTable(resolved);
    this.#expiry = new DocumentExpiry({
      expireAfterMs,
      documents: this.#documents,
      expire: id => this.#expire(id),
      checkpoints,
    });
    this.#quiet = new QuietDocuments({
      idleMs,
      look: () => this.#inTurn(() => this.#readQuiet()),
      onError: fail,
    });
    if (signal?.aborted) this.#quiet.stop();
    signal?.addEventListener('abort', () => this.#quiet.stop(), {once: true});
    this.#reader = new SegmentReader({
      ...resolved,
      statistics: this.#statistics,
      emit: embedding => output.enqueue(embedding),
      fail,
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
    if (this.#options.idleMs === Number.POSITIVE_INFINITY) return work();
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #read(record: StreamRecord<DocumentChunk>): Promise<void> {
    const document = await this.#expiry.open(record);
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
        this.#reader.add(documentSegment(document, tokens, record));
      }
      await this.#reader.startDue();
    }
    document.moveTo(record);
    if (last) {
      this.#readTail(document, {...record, partial: false});
      await this.#reader.startDue();
    }
    if (last || forget) this.#quiet.delete(record.key);
    else if (content.length > 0) this.#quiet.add(record.key);
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

  async #expire(id: string): Promise<void> {
    if (this.#quiet.delete(id)) await this.#readQuietTail(id);
    await this.#reader.finish();
    await this.#documents.forget(id);
    this.#statistics.expiredDocuments++;
  }

  /** Emits what waits of documents that have been quiet for long enough. */
  async #readQuiet(): Promise<void> {
    let any = false;
    for (const id of this.#quiet.take()) {
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

  #readTail(document: OpenDocument, end: TailEnd): void {
    const {model, tokenizer} = this.#options;
    const {ids, byteLengths, replaced} = tokenizer.push(document.carry, nothing, true);
    if (!end.partial) this.#countReplaced(replaced, document, end);
    const held = document.pending.all();
    const tail = {ids: concatenate(held.ids, ids), byteLengths: concatenate(held.byteLengths, byteLengths)};
    for (const segment of tailSegments(document, tail, end, model.config.segmentLength)) this.#reader.add(segment);
  }
}

function concatenate(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
