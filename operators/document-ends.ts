import {Checkpoint, type DeadLetter, type DocumentChunk, type StreamRecord} from '../pipeline/index.ts';

/** What waits to be passed on, in order. */
export type Waiting = StreamRecord<DocumentChunk> | DeadLetter | Checkpoint;

type Entry = {element: Waiting; open: boolean; next: Entry | undefined};

/** Memory that an entry takes beside its content, roughly. */
const ENTRY_BYTES = 200;

/**
 * Finds each document's last record where documents follow one another within a partition.
 *
 * The latest record of each partition is open until the partition's next record, or its end, shows whether the document
 * goes on. All elements leave in the order in which they came, so what comes behind an open record waits, barriers
 * included: a barrier never leaves before the records that it covers.
 */
export class DocumentEnds {
  readonly #limit: number;
  readonly #open = new Map<string, Entry>();
  #head: Entry | undefined;
  #tail: Entry | undefined;
  /** What waits behind the head. */
  #bytes = 0;

  /**
   * @param options.waitingBytes When more than this waits behind an open record, its document counts as ended, as if its
   * next record came too late. @default 64 MiB
   */
  constructor({waitingBytes = 64 * 1024 * 1024}: {waitingBytes?: number} = {}) {
    this.#limit = waitingBytes;
  }

  push(element: Waiting): void {
    const entry: Entry = {element, open: false, next: undefined};
    if (isRecord(element)) {
      const {partition} = element.position;
      const previous = this.#open.get(partition);
      if (previous !== undefined) settle(previous, {last: (previous.element as typeof element).key !== element.key});
      entry.open = true;
      this.#open.set(partition, entry);
    }
    if (this.#tail === undefined) {
      this.#head = entry;
    } else {
      this.#tail.next = entry;
      this.#bytes += bytesOf(element);
    }
    this.#tail = entry;
  }

  /** Says that a partition has no more records. */
  end(partition: string): void {
    const entry = this.#open.get(partition);
    if (entry === undefined) return;
    settle(entry, {last: true});
    this.#open.delete(partition);
  }

  /** Says that no partition has more records. */
  endAll(): void {
    for (const partition of [...this.#open.keys()]) this.end(partition);
  }

  /** Takes out what can leave. */
  *take(): Generator<Waiting> {
    for (let head = this.#head; head !== undefined; head = this.#head) {
      if (head.open) {
        if (this.#bytes <= this.#limit) return;
        this.end((head.element as StreamRecord<DocumentChunk>).position.partition);
      }
      this.#head = head.next;
      if (head.next === undefined) this.#tail = undefined;
      else this.#bytes -= bytesOf(head.next.element);
      yield head.element;
    }
  }
}

function isRecord(element: Waiting): element is StreamRecord<DocumentChunk> {
  return 'value' in element;
}

function bytesOf(element: Waiting): number {
  if (element instanceof Checkpoint) return ENTRY_BYTES;
  return ENTRY_BYTES + (isRecord(element) ? element.value : element).content.length;
}

function settle(entry: Entry, {last}: {last: boolean}): void {
  const record = entry.element as StreamRecord<DocumentChunk>;
  entry.open = false;
  if (record.value.last !== last) entry.element = {...record, value: {...record.value, last}};
}
