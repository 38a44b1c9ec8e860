import type {Tokens} from '../model/tokenizer/tokenizer.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import type {OpenDocument} from './open-document.ts';
import type {SegmentTask} from './segment-task.ts';

/** A segment that the document's own memory reads and keeps. */
export function documentSegment(
  document: OpenDocument,
  tokens: Tokens,
  {position, timestamp}: Pick<StreamRecord<unknown>, 'position' | 'timestamp'>,
): SegmentTask {
  return {
    document,
    memory: document.memory,
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
