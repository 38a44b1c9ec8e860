import {Command, Option} from 'commander';
import {engineNames} from '../model/engine/engine.ts';
import type {EvaluateOptions} from './run-evaluate.ts';
import type {EvaluateRetrievalOptions} from './run-evaluate-retrieval.ts';
import {threadsOption} from './threads-option.ts';
import {wholeNumber} from './whole-number.ts';

/** `palimpsest evaluate`: measures how well a model predicts documents, or tells them apart. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .summary('Measure how well a model predicts documents, or its vectors find the like')
    .description(
      'Measures how well a model predicts documents it was not trained on: bits per byte, perplexity per word, the same by the tokens read before and by the frequency of words, and where attention goes. With --retrieval, how well its document vectors find the other excerpt of the same document, beside TF-IDF.',
    )
    .requiredOption('-m, --model <folder>', 'model to measure')
    .option('-d, --data <paths...>', 'documents: files, plain or gzip, and patterns such as "books/*.gz"')
    .option('-r, --retrieval <file>', 'excerpts that are to find each other; "palimpsest summary pairs" makes them')
    .option(
      '--vectors <name=file...>',
      'with --retrieval: vectors of the excerpts made elsewhere, JSON Lines of {"id", "embedding"}',
    )
    .option(
      '-o, --out <file>',
      'where to write all figures as JSON, and a picture beside it: .svg in the place of .json',
    )
    .option('-f, --frequencies <paths...>', 'training documents, to measure words by how often they occur there')
    .option('--gutenberg', 'count only the text between the markers of Project Gutenberg')
    .option('--tokens <number>', 'tokens to read of each document at most', wholeNumber())
    .option('--attention-tokens <number>', 'tokens of each document to follow attention over', wholeNumber(), 8192)
    .option('--batch <number>', 'documents read side by side', wholeNumber(), 16)
    .addOption(new Option('--engine <name>', 'what computes').choices(['auto', ...engineNames]).default('auto'))
    .addOption(threadsOption())
    .addOption(
      new Option('--precision <type>', 'how matrix products multiply; auto: bfloat16 where it is faster')
        .choices(['float32', 'bfloat16', 'auto'])
        .default('float32'),
    )
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Perplexity per word is e to the total loss over the number of words between white space, as for PG-19.

Examples:
  $ palimpsest evaluate --model runs/books/best --data "held-out/*.txt" --out books.json
  $ palimpsest evaluate --model runs/books/best --data held-out.txt --frequencies "books/*.txt" --gutenberg
  $ palimpsest evaluate --model runs/books/best --retrieval pairs.jsonl --out retrieval.json`,
    )
    .action(async (options: EvaluateOptions & EvaluateRetrievalOptions) => {
      const {data, retrieval} = options as {data?: readonly string[]; retrieval?: string};
      if ((data === undefined) === (retrieval === undefined)) {
        throw new RangeError(
          `Cannot evaluate as either --data or --retrieval must be given: current number of them is ${data === undefined ? 0 : 2}`,
        );
      }
      const others =
        retrieval === undefined ? (['vectors'] as const) : (['frequencies', 'gutenberg', 'tokens'] as const);
      const idle = others.find(name => options[name] !== undefined);
      if (idle !== undefined) {
        throw new RangeError(
          `Cannot use --${idle} as it needs ${retrieval === undefined ? '--retrieval' : '--data'}: leave it out, or measure the other`,
        );
      }
      if (retrieval === undefined) {
        const {runEvaluate} = await import('./run-evaluate.ts');
        await runEvaluate(options);
      } else {
        const {runEvaluateRetrieval} = await import('./run-evaluate-retrieval.ts');
        await runEvaluateRetrieval(options);
      }
    });
}
