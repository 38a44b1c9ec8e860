export type Neighbour = {readonly id: string; readonly cosine: number};

type Result = {readonly id: string; readonly embedding: readonly number[]; readonly final: boolean};

/**
 * The documents nearest to one document, nearest first.
 *
 * @param lines Result lines; of each document the last final embedding counts.
 * @throws {RangeError} If no line is a final embedding of `id`.
 */
export function nearestByCosine(
  lines: Iterable<string>,
  {id, count = 5}: {readonly id: string; readonly count?: number},
): Neighbour[] {
  const embeddings = new Map<string, readonly number[]>();
  for (const line of lines) {
    if (line.trim() === '') continue;
    const result = JSON.parse(line) as Result;
    if (result.final) embeddings.set(result.id, result.embedding);
  }
  const from = embeddings.get(id);
  if (from === undefined) {
    const known = [...embeddings.keys()].join('", "');
    throw new RangeError(
      `Cannot find neighbours as the document must have a result: current value is "${id}", not one of "${known}"`,
    );
  }
  embeddings.delete(id);
  return Array.from(embeddings, ([other, embedding]) => ({id: other, cosine: cosine(from, embedding)}))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, count);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}
