import type {Tokens} from '../model/tokenizer/tokenizer.ts';
import type {StreamRecord} from '../pipeline/stream-record.ts';
import {documentSegment} from './document-segment.ts';
import type {OpenDocument} from './open-document.ts';
import type {SegmentTask} from './segment-task.ts';

/** A document's last record so far, and whether the document is only quiet behind it. */
export type TailEnd = Pick<StreamRecord<unknown>, 'position' | 'timestamp'> & {readonly partial: boolean};

/**
 * Segments that read a document's tail: what waits for more to come, read as if nothing did. The document's memory stays as it is, so that
 * it does not depend on where a source happened to pause.
 *
 * @param tail Tokens that wait: fewer than n, or up to a few more where the last bytes gave several.
 * @param segmentLength n.
 */
export function* tailSegments(
  document: OpenDocument,
  tail: Tokens,
  end: TailEnd,
  segmentLength: number,
): Generator<SegmentTask, void> {
  const {partial} = end;
  const {length} = tail.ids;
  if (length < segmentLength) {
    if (partial && length === 0) return;
    yield {...documentSegment(document, tail, end), tail: true, final: !partial, partial};
    return;
  }
  // A whole segment would advance the memory: a copy of it takes the tail instead.
  const memory = document.copyName('tail');
  for (let start = 0; start <= length; start += segmentLength) {
    const tokens = {
      ids: tail.ids.slice(start, start + segmentLength),
      byteLengths: tail.byteLengths.slice(start, start + segmentLength),
    };
    const ends = start + segmentLength > length;
    const part = {memory, fork: start === 0, tail: true, final: ends && !partial, partial: ends && partial};
    yield {...documentSegment(document, tokens, end), ...part};
  }
}
