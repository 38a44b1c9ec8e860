import type {Tokens} from '../model/tokenizer/tokenizer.ts';
import type {Position} from '../pipeline/position.ts';
import type {OpenDocument} from './open-document.ts';

/** One segment of a document that waits for the model. */
export type SegmentTask = {
  readonly document: OpenDocument;
  /** Key of the memory to read with: the document's own, or a copy for reading beyond what it keeps. */
  readonly memory: string;
  /** Whether that copy is to be made first. */
  readonly fork: boolean;
  /** 1 to n tokens; none only if `final`. */
  readonly tokens: Tokens;
  /** The record that filled the segment. */
  readonly position: Position;
  readonly timestamp: number;
  /** Whether the segment is read beyond what the memory keeps, because no more of the document is known. */
  readonly tail: boolean;
  /** Whether the document's embedding is due after this segment. */
  readonly final: boolean;
  /** Whether the tail ends here without the document having ended: it is only quiet. */
  readonly partial: boolean;
  /** When its text had been read, on the clock of `performance.now()`. */
  readonly since: number;
};
