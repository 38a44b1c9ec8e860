import type {EvaluatedRetrieval} from '../training/retrieval/evaluate-retrieval.ts';

/** A table of ways of comparing excerpts. */
export function formatRetrieval(rows: readonly EvaluatedRetrieval[]): string {
  const width = Math.max(...rows.map(({name}) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.map(cell => cell.padStart(9)).join('')}`.trimEnd();
  return [
    line('', ['numbers', 'top-1', 'top-5', 'MRR']),
    ...rows.map(({name, numbers, top1, top5, meanReciprocalRank}) =>
      line(name, [String(numbers ?? ''), ...[top1, top5, meanReciprocalRank].map(score => score.toFixed(3))]),
    ),
  ].join('\n');
}
