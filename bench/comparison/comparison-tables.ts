import type {Evaluation} from '../../training/evaluation/evaluate.ts';
import {type ComparisonRun, runName} from './comparison-run.ts';

export type MeasuredRun = {readonly run: ComparisonRun; readonly evaluation: Evaluation};

/** The figures of runs as a table in Markdown, each beside the Transformer-XL of the same seed that attends to as many slots. */
export function comparisonTables(measured: readonly MeasuredRun[]): string {
  const rows = measured.map(({run, evaluation}) => {
    const slots = run.memoryLength + run.compressedMemoryLength;
    const against = measured.find(
      ({run: {system, segmentLength, memoryLength, clip, lateUpdatesEvery, seed}}) =>
        system === 'Transformer-XL' &&
        segmentLength === run.segmentLength &&
        memoryLength === slots &&
        clip === run.clip &&
        lateUpdatesEvery === run.lateUpdatesEvery &&
        seed === run.seed,
    );
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
    [
      'run',
      'bits per byte',
      'books better than Transformer-XL of as many slots',
      'first 5,000 tokens',
      'after 100,000',
    ],
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
