export type DecodesLinesOptions = {
  readonly format: 'text' | 'lines' | 'jsonl';
  readonly idField?: string | undefined;
};

/** Whether lines tell which document they belong to; otherwise each input is a document. */
export function decodesLines({format, idField}: DecodesLinesOptions): boolean {
  return format === 'jsonl' || (format === 'lines' && idField !== undefined);
}
