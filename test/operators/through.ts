import {ReadableStream, type TransformStream} from 'node:stream/web';

/** Sends elements through a stream and gives back all that comes out. */
export async function through<I, O>(stream: TransformStream<I, O>, elements: Iterable<I>): Promise<O[]> {
  const outputs: O[] = [];
  for await (const output of ReadableStream.from<I>(elements).pipeThrough(stream)) outputs.push(output as O);
  return outputs;
}
