import type {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import type {DocumentTable} from './document-table.ts';
import type {OpenDocument} from './open-document.ts';

export type DocumentExpiryOptions = {
  /** Milliseconds without a record after which a document expires; may be infinite. */
  readonly expireAfterMs: number;
  readonly documents: DocumentTable;
  /** Reads what waits of a document and forgets it. */
  readonly expire: (id: string) => Promise<void>;
  /** Asked for a barrier when many documents expire. */
  readonly checkpoints: CheckpointSchedule | undefined;
};

/** Documents forgotten between two barriers because they expired: each is to be removed from a changelog. */
const expiredAtOnce = 1000;

/** Expired documents are looked for when this part of the time to expire has passed. */
const looks = 8;

/**
 * Opens documents, and lets those expire of which no record came for long. Time is that of the records, so that a run over old ones expires
 * what a run in their time did.
 *
 * Whether a document begins anew depends on its own records alone, and so neither on restarts nor on what came between. Hence stored ones are
 * kept as long again: a record may come late.
 */
export class DocumentExpiry {
  readonly #options: DocumentExpiryOptions;
  /** Latest event time of all records. */
  #now = Number.NEGATIVE_INFINITY;
  #lastLook = Number.NEGATIVE_INFINITY;
  #awaitsBarrier = false;

  constructor(options: DocumentExpiryOptions) {
    this.#options = options;
  }

  /** Opens the document of a record, anew if the one that was has expired; `undefined` if the record is part of its memory already. */
  async open(record: StreamRecord<unknown>): Promise<OpenDocument | undefined> {
    const {expireAfterMs, documents, expire} = this.#options;
    const document = await documents.open(record);
    if (expireAfterMs === Number.POSITIVE_INFINITY) return document;
    // A clock that is wrong somewhere must not let everything expire.
    const time = Math.min(record.timestamp, Date.now());
    this.#now = Math.max(this.#now, time);
    let current = document;
    if (document?.position !== undefined && time - document.timestamp > expireAfterMs) {
      await expire(record.key);
      current = await documents.open(record);
    }
    if (!this.#awaitsBarrier && this.#now - this.#lastLook >= expireAfterMs / looks) {
      await this.#expireOlder(this.#now - 2 * expireAfterMs);
    }
    return current;
  }

  /** Lets the next documents expire: those before are about to be stored as forgotten. */
  onBarrier(): void {
    this.#awaitsBarrier = false;
  }

  async #expireOlder(limit: number): Promise<void> {
    const {documents, expire, checkpoints} = this.#options;
    let count = 0;
    for await (const id of documents.readBefore(limit)) {
      await expire(id);
      if (++count < expiredAtOnce) continue;
      this.#awaitsBarrier = true;
      checkpoints?.request();
      return;
    }
    this.#lastLook = this.#now;
  }
}
