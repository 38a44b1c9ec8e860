import type {Evaluation} from '../../training/evaluation/evaluate.ts';
import {type ComparisonRun, runName} from './comparison-run.ts';

export type MeasuredRun = {readonly run: ComparisonRun; readonly evaluation: Evaluation};

/** The figures of runs as tables in Markdown: of each run, and of each book by the runs of the first seed. */
export function comparisonTables(measured: readonly MeasuredRun[]): string {
  const rival = (seed: number) =>
    measured.find(({run}) => run.system === 'Transformer-XL' && run.memoryLength === 128 && run.seed === seed);
  const rows = measured.map(({run, evaluation}) => {
    const against = rival(run.seed);
    const better = evaluation.documents.filter(({id, bitsPerByte}) => {
      const other = against?.evaluation.documents.find(document => document.id === id);
      return other !== undefined && bitsPerByte < other.bitsPerByte;
    });
    const early = bitsPerByte(evaluation, token => token < 5_000);
    const late = bitsPerByte(evaluation, token => token >= 100_000);
    return [
      runName(run),
      evaluation.total.bitsPerByte.toFixed(4),
      against === undefined || against.run === run ? '' : `${better.length} of ${evaluation.documents.length}`,
      early.toFixed(4),
      late.toFixed(4),
    ];
  });
  return markdown(
    ['run', 'bits per byte', 'books better than transformer-xl-128', 'first 5,000 tokens', 'after 100,000'],
    rows,
  );
}

function bitsPerByte({bySeen}: Evaluation, counts: (fromToken: number) => boolean): number {
  const stretches = bySeen.filter(({fromToken}) => counts(fromToken));
  const sum = (of: 'bits' | 'bytes') => stretches.reduce((total, stretch) => total + stretch[of], 0);
  return sum('bits') / sum('bytes');
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map((_, index) => (index === 0 ? '---' : '--:')), ...rows]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n');
}
