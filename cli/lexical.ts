import {Command} from 'commander';
import {runTrainLexical, type TrainLexicalOptions} from './run-train-lexical.ts';
import {wholeNumber} from './whole-number.ts';

/** `palimpsest lexical`: the part of a document's vector that lives on words and names. */
export function lexicalCommand(): Command {
  return new Command('lexical').description('Train the lexical path of document vectors').addCommand(trainCommand());
}

function trainCommand(): Command {
  return new Command('train')
    .summary('Train a lexical head')
    .description(
      'Learns from documents, without labels, which tokens tell documents apart: excerpts of one document come to lie near each other. Writes a safetensors file.',
    )
    .requiredOption('-d, --data <paths...>', 'documents: files, plain or gzip, and patterns such as "books/*.gz"')
    .requiredOption('--tokenizer <file>', 'a tokenizer.json; "palimpsest tokenizer train" makes one')
    .option('-o, --out <file>', 'where to write it', 'lexical.safetensors')
    .option('--dimension <numbers>', 'numbers of a vector at most; there are no more than documents', wholeNumber, 512)
    .option(
      '--pair-buckets <count>',
      'buckets that pairs of tokens share, a power of two (default: pairs are not counted)',
      wholeNumber,
    )
    .option('--excerpt <tokens>', 'tokens of an excerpt', wholeNumber, 8000)
    .option('--gutenberg', 'count only the text between the markers of Project Gutenberg')
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Examples:
  $ palimpsest lexical train --data "books/*.txt.gz" --tokenizer tokenizer.json --gutenberg
  $ palimpsest lexical train --data "notes/*.txt" --tokenizer tokenizer.json --excerpt 500 --dimension 256`,
    )
    .action(async (options: TrainLexicalOptions) => await runTrainLexical(options));
}
