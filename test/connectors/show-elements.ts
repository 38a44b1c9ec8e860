import type {ReadableStream} from 'node:stream/web';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Line} from '../../pipeline/line.ts';
import type {Progress} from '../../pipeline/progress.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';

type LineElement = Element<StreamRecord<Line>>;

export async function readAll<T>(stream: ReadableStream<T>): Promise<T[]> {
  const elements: T[] = [];
  for await (const element of stream) elements.push(element);
  return elements;
}

/** An element in one line: `<last part of the partition> <offset> "<content>" [last] [cut]`, or the barrier's progress. */
export function show(element: LineElement): string {
  const name = (partition: string): string => partition.split('/').at(-1)!;
  if (element instanceof Checkpoint) {
    const moved = [...element.partitions].map(
      ([partition, {nextOffset, ended}]) => ` ${name(partition)} ${nextOffset}${ended ? ' ended' : ''}`,
    );
    return `--${moved.join(',')}`;
  }
  const {value, position} = element;
  const flags = `${value.last ? ' last' : ''}${value.cut ? ' cut' : ''}`;
  return `${name(position.partition)} ${position.offset} ${JSON.stringify(Buffer.from(value.content).toString())}${flags}`;
}

/** Shows what a stream gives out. */
export async function showAll(stream: ReadableStream<LineElement>): Promise<string[]> {
  return (await readAll(stream)).map(show);
}

/** Progress once all barriers of `elements` have been committed. */
export function progressAfter(elements: readonly LineElement[]): Progress {
  const barriers = elements.filter(element => element instanceof Checkpoint);
  return {partitions: new Map(barriers.flatMap(barrier => [...barrier.partitions])), outputs: new Map()};
}
