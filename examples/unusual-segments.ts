export type UnusualSegment = {
  readonly id: string;
  /** Tokens of the document before it. */
  readonly start: number;
  /** Tokens of the document up to its end. */
  readonly end: number;
  /** One minus the cosine between its embedding and the mean over its document's segments. */
  readonly distance: number;
};

type Result = {
  readonly id: string;
  readonly embedding: readonly number[];
  readonly tokens: number;
  readonly final: boolean;
};

/**
 * The segments whose embeddings are farthest from the mean of their own document's, farthest first.
 *
 * @param lines Result lines, made with `--every segment`.
 */
export function unusualSegments(
  lines: Iterable<string>,
  {count = 5}: {readonly count?: number} = {},
): UnusualSegment[] {
  const documents = new Map<string, {readonly embedding: readonly number[]; readonly end: number}[]>();
  for (const line of lines) {
    if (line.trim() === '') continue;
    const {id, embedding, tokens, final} = JSON.parse(line) as Result;
    if (final) continue;
    documents.set(id, [...(documents.get(id) ?? []), {embedding, end: tokens}]);
  }
  return [...documents]
    .flatMap(([id, segments]) => {
      const mean = segments[0]!.embedding.map((_, axis) =>
        segments.reduce((sum, {embedding}) => sum + embedding[axis]! / segments.length, 0),
      );
      const all = segments.map(({embedding, end}, index) => ({
        id,
        start: segments[index - 1]?.end ?? 0,
        end,
        distance: 1 - dot(embedding, mean) / Math.sqrt(dot(embedding, embedding) * dot(mean, mean)),
      }));
      // What did not fill a segment at the end is unlike the others by being short.
      const [{end: length} = {end: 0}] = all;
      return all.filter(({start, end}) => end - start === length);
    })
    .sort((a, b) => b.distance - a.distance)
    .slice(0, count);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, axis) => sum + value * b[axis]!, 0);
}
