import {OutputFile} from '../connectors/output-file.ts';
import {excerptPair} from '../training/retrieval/excerpt-pair.ts';
import {countOf} from './count-of.ts';
import {openFileCorpus} from './open-file-corpus.ts';
import {stopSignals} from './stop-signals.ts';
import {writeOutput} from './write-output.ts';

export type MakePairsOptions = {
  readonly data: readonly string[];
  readonly out: string;
  readonly characters: number;
  readonly at: string;
  readonly gutenberg?: boolean;
};

/** Runs `palimpsest summary pairs`. */
export async function runMakePairs({data, out, characters, at, gutenberg}: MakePairsOptions): Promise<void> {
  using stop = stopSignals();
  const places = at.split(',').map(Number);
  const [first, second] = places;
  if (places.length !== 2 || !places.every(place => place >= 0 && place < 100) || first! >= second!) {
    throw new RangeError(
      `Cannot make pairs as --at must be two percentages below 100, the less one first: current value is "${at}"`,
    );
  }
  await OutputFile.check(out);
  const {documents} = await openFileCorpus(data, {gutenberg, signal: stop.signal});
  const lines: string[] = [];
  let passedOver = 0;
  for (const document of documents) {
    stop.signal.throwIfAborted();
    const pair = await excerptPair(document, {characters, places: [first! / 100, second! / 100]});
    if (pair === undefined) passedOver++;
    else
      for (const [i, text] of pair.entries())
        lines.push(`${JSON.stringify({id: `${document.id}#${'ab'[i]}`, text})}\n`);
  }
  await writeOutput(out, lines.join(''));
  const short = passedOver === 0 ? '' : `; passed over ${countOf(passedOver, 'document')} too short for two`;
  process.stderr.write(`Wrote two excerpts of ${countOf(lines.length / 2, 'document')}: ${out}${short}\n`);
}
