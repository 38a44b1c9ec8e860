import type {MemoryStore} from '../memory-store/memory-store.ts';
import type {Model} from '../model/model.ts';
import type {Tokenizer} from '../model/tokenizer/tokenizer.ts';
import type {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import type {ReadSegment} from './segment-reader.ts';

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
   * Bytes that documents may hold open, memories in the engine and what is beside them, or what tells them if they change; the least recently
   * read are closed at checkpoints.
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
   * A document's record that is this many milliseconds later than all before it begins the document anew. Time is that of the records, no
   * further than the present. By the time that others are twice as much later, what is stored of the document is forgotten.
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
