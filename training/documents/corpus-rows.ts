import {ModelError} from '../../errors.ts';
import type {Tokenizer} from '../../model/tokenizer/tokenizer.ts';
import type {Corpus, CorpusDocument} from './corpus.ts';
import {documentOrder} from './document-order.ts';
import {DocumentTokens} from './document-tokens.ts';

/** Where one row is. */
export type RowPosition = {
  /** The document's place in the order of all epochs; −1 if the row has none. */
  readonly place: number;
  /** Tokens of it that were read. */
  readonly tokens: number;
};

/** Where all rows are; JSON. */
export type CorpusPosition = {
  readonly rows: readonly RowPosition[];
  /** Place of the next document. */
  readonly next: number;
};

/** One segment of a row's document. */
export type RowSegment = {
  /** Whether it is the first of its document. */
  readonly first: boolean;
  readonly document: string;
  /** Tokens of the document before it. */
  readonly position: number;
  /** 1 to n of them. */
  readonly tokens: Int32Array;
  /** The token after each; the last token of a document has none. */
  readonly targets: Int32Array;
  /** Bytes that the targets stand for. */
  readonly targetBytes: number;
};

export type CorpusRowsOptions = {
  readonly corpus: Corpus;
  readonly tokenizer: Tokenizer;
  readonly rows: number;
  readonly segmentLength: number;
  /** Of the order of documents, another one in each epoch. */
  readonly seed: number;
  /** Where to go on. */
  readonly position?: CorpusPosition | undefined;
};

type Row = {
  position: RowPosition;
  /** What is read, from the first document on. */
  reading: {readonly document: CorpusDocument; readonly tokens: DocumentTokens} | undefined;
};

/**
 * Contiguous streams over a corpus: each row reads one document after the other, segment by segment, and takes the next one of the shuffled
 * order when it is through. Documents of all lengths take part, and none is cut for the sake of the rows.
 */
export class CorpusRows {
  readonly #options: CorpusRowsOptions;
  readonly #rows: Row[];
  #next: number;
  #order: {readonly epoch: number; readonly documents: readonly number[]} | undefined;

  private constructor(options: CorpusRowsOptions, rows: Row[]) {
    this.#options = options;
    this.#rows = rows;
    this.#next = options.position?.next ?? 0;
  }

  /** @throws {ModelError} If a position lies behind the end of its document. */
  static async open(options: CorpusRowsOptions): Promise<CorpusRows> {
    const positions = options.position?.rows ?? Array.from({length: options.rows}, () => ({place: -1, tokens: 0}));
    const rows = new CorpusRows(
      options,
      positions.map(position => ({position, reading: undefined})),
    );
    for (const row of rows.#rows) {
      if (row.position.place < 0) continue;
      row.reading = rows.#open(row.position.place);
      const {document, tokens} = row.reading;
      const skipped = await tokens.skip(row.position.tokens);
      if (skipped < row.position.tokens) {
        throw new ModelError(`Cannot go on as "${document.id}" must hold what it held before`);
      }
    }
    return rows;
  }

  get position(): CorpusPosition {
    return {rows: this.#rows.map(({position}) => position), next: this.#next};
  }

  /** Times that all documents were begun, a fraction included. */
  get epochs(): number {
    return this.#next / this.#options.corpus.documents.length;
  }

  /** The next segment of each row. */
  async next(): Promise<RowSegment[]> {
    const segments: RowSegment[] = [];
    for (const row of this.#rows) segments.push(await this.#nextOf(row));
    return segments;
  }

  async close(): Promise<void> {
    for (const {reading} of this.#rows) await reading?.tokens.close();
  }

  async #nextOf(row: Row): Promise<RowSegment> {
    const n = this.#options.segmentLength;
    // A segment of one token without a target would teach nothing.
    for (let tries = 0; row.reading === undefined || (await row.reading.tokens.fill(n + 1)) < 2; tries++) {
      // The only document that does may come early in one epoch and late in the next.
      if (tries > 2 * this.#options.corpus.documents.length) {
        throw new ModelError('Cannot read the corpus as a document must give at least 2 tokens: none does');
      }
      await row.reading?.tokens.close();
      row.position = {place: this.#next++, tokens: 0};
      row.reading = this.#open(row.position.place);
    }
    const {document, tokens: read} = row.reading;
    const {place, tokens: before} = row.position;
    const targets = read.peek(n + 1).slice(1);
    const {ids, byteLengths} = read.take(n);
    const tokens = ids.slice();
    row.position = {place, tokens: before + tokens.length};
    const bytes = byteLengths.reduce((sum, length) => sum + length, 0);
    return {
      first: before === 0,
      document: document.id,
      position: before,
      tokens,
      targets,
      // Nearly: targets are shifted by one token.
      targetBytes: (bytes * targets.length) / tokens.length,
    };
  }

  #open(place: number): NonNullable<Row['reading']> {
    const document = this.#document(place);
    return {document, tokens: new DocumentTokens(document, this.#options.tokenizer)};
  }

  #document(place: number) {
    const {documents} = this.#options.corpus;
    const epoch = Math.floor(place / documents.length);
    if (this.#order?.epoch !== epoch) {
      this.#order = {epoch, documents: documentOrder(documents.length, {seed: this.#options.seed, epoch})};
    }
    return documents[this.#order.documents[place % documents.length]!]!;
  }
}
