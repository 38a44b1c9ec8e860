import type {AttentionShares} from '../training/evaluation/attention-shares.ts';
import type {Evaluation} from '../training/evaluation/evaluate.ts';

/** The figures of an evaluation as tables for people. */
export function formatEvaluation(
  {total, documents, bySeen, byFrequency}: Evaluation,
  attention: readonly AttentionShares[],
): string {
  const shown = documents.length > 1 ? [...documents, {id: 'all', ...total}] : documents;
  const tables = [
    table(
      ['document', 'bytes', 'tokens', 'bits per byte', 'perplexity per word'],
      shown.map(({id, bytes, tokens, bitsPerByte, perplexityPerWord}) => [
        id,
        String(bytes),
        String(tokens),
        bitsPerByte.toFixed(4),
        perplexityPerWord.toPrecision(4),
      ]),
    ),
    table(
      ['tokens read before', 'documents', 'bits per byte'],
      bySeen.map(({fromToken, toToken, documents: count, bitsPerByte}) => [
        `${fromToken} to ${toToken}`,
        String(count),
        bitsPerByte.toFixed(4),
      ]),
    ),
    ...(byFrequency === undefined
      ? []
      : [
          table(
            ['occurrences in training', 'words', 'perplexity per word'],
            byFrequency
              .filter(({words}) => words > 0)
              .map(({least, below, words, perplexityPerWord}) => [
                below === null ? `${least} and more` : `${least} to ${below - 1}`,
                String(words),
                perplexityPerWord.toPrecision(4),
              ]),
          ),
        ]),
    ...(attention.length === 0
      ? []
      : [
          table(
            ['attention of layer', 'segment', 'memory', 'compressed memory'],
            attention.map(({segment, memory, compressedMemory}, layer) => [
              String(layer),
              ...[segment, memory, compressedMemory].map(share => `${(100 * share).toFixed(1)} %`),
            ]),
          ),
        ]),
  ];
  return tables.join('\n\n');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]!.length), name.length),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}
