import {Command, Option} from 'commander';
import {engineNames} from '../model/engine/engine.ts';
import type {MakePairsOptions} from './run-make-pairs.ts';
import type {TrainSummaryOptions} from './run-train-summary.ts';
import {threadsOption} from './threads-option.ts';
import {wholeNumber} from './whole-number.ts';

/** `palimpsest summary`: what makes a document's vector. */
export function summaryCommand(): Command {
  return new Command('summary')
    .description("Train what makes documents' vectors, and make excerpts to measure it with")
    .addCommand(trainCommand())
    .addCommand(pairsCommand());
}

function trainCommand(): Command {
  return new Command('train')
    .summary("train a model's summary head")
    .description(
      'Learns from documents, without labels, what their excerpts have in common and other documents have not: from the tokens they use, and from what the model makes of them. Writes summary.safetensors into the model folder; from then on "palimpsest embed" makes document vectors with it.',
    )
    .requiredOption('-m, --model <folder>', 'trained model')
    .requiredOption('-d, --data <paths...>', 'documents: files, plain or gzip, and patterns such as "books/*.gz"')
    .option('--gutenberg', 'use only the text between the markers of Project Gutenberg')
    .option('--dimension <numbers>', 'numbers of a vector at most', wholeNumber(), 512)
    .option('--excerpt <tokens>', 'tokens of an excerpt', wholeNumber(), 8000)
    .option('--read <excerpts>', 'excerpts of a document that the model reads', wholeNumber(), 4)
    .option(
      '--pair-buckets <count>',
      'buckets that pairs of tokens share, a power of two (default: 8192)',
      wholeNumber(),
    )
    .option('--cache <folder>', 'what the model made of each document (default: beside the model, ending in .features)')
    .addOption(new Option('--engine <name>', 'what computes').choices(['auto', ...engineNames]).default('auto'))
    .addOption(threadsOption())
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
A run that was stopped, or killed, goes on when it is started again: what the model made of a document is kept, and read from there. The folder may be
removed when the head is trained.

Examples:
  $ palimpsest summary train --model runs/books/best --data "books/*.txt.gz" --gutenberg
  $ palimpsest summary train --model runs/notes/best --data "notes/*.txt" --excerpt 500 --dimension 256`,
    )
    .action(async (options: TrainSummaryOptions) => {
      const {runTrainSummary} = await import('./run-train-summary.ts');
      await runTrainSummary(options);
    });
}

function pairsCommand(): Command {
  return new Command('pairs')
    .summary('Make excerpts to measure retrieval with')
    .description(
      'Takes two excerpts of each document, which are to find each other: JSON Lines of {"id", "text"}, for "palimpsest evaluate --retrieval".',
    )
    .requiredOption('-d, --data <paths...>', 'documents: files, plain or gzip, and patterns such as "books/*.gz"')
    .option('-o, --out <file>', 'where to write them', 'pairs.jsonl')
    .option('--characters <number>', 'characters of an excerpt', wholeNumber(), 30_000)
    .option('--at <percentages>', 'where the excerpts of a document begin', '20,70')
    .option('--gutenberg', 'use only the text between the markers of Project Gutenberg')
    .addHelpText(
      'after',
      `
Examples:
  $ palimpsest summary pairs --data "unseen/*.txt" --gutenberg --out pairs.jsonl
  $ palimpsest evaluate --model runs/books/best --retrieval pairs.jsonl`,
    )
    .action(async (options: MakePairsOptions) => {
      const {runMakePairs} = await import('./run-make-pairs.ts');
      await runMakePairs(options);
    });
}
