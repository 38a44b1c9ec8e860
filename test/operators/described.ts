import {Checkpoint, type DocumentChunk, type Element, type StreamRecord} from '../../pipeline/index.ts';

/** One readable line per element: `key@partition:offset "content" last`, or a barrier's progress. */
export function described(elements: Iterable<Element<StreamRecord<DocumentChunk>>>): string[] {
  return Array.from(elements, element => {
    if (element instanceof Checkpoint) {
      const progress = Array.from(element.partitions, ([name, {nextOffset}]) => `${name}:${nextOffset}`);
      return `| ${progress.join(' ')}`.trimEnd();
    }
    const {key, position, value} = element;
    const text = JSON.stringify(new TextDecoder().decode(value.content));
    return `${key}@${position.partition}:${position.offset} ${text}${value.last ? ' last' : ''}`;
  });
}
