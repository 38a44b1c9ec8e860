import {Command, Option} from 'commander';
import {engineNames} from '../model/engine/engine.ts';
import type {TrainOptions} from './run-train.ts';
import {threadsOption} from './threads-option.ts';

/** `palimpsest train`: trains a model on documents. */
export function trainCommand(): Command {
  return new Command('train')
    .summary('Train a model on your own documents')
    .description(
      'Trains a Compressive Transformer on documents, each of which is read from its start to its end with its memory carried along. The folder holds the best and the last model, a log, a picture of the curves, and all that is needed to go on.',
    )
    .requiredOption(
      '-d, --data <paths...>',
      'documents to train on: files, plain or gzip, and patterns such as "books/*.gz"',
    )
    .option('-v, --valid <paths...>', 'documents to choose the best model by')
    .requiredOption('-c, --config <file>', 'configuration in JSON; docs/training.md lists its fields')
    .requiredOption('-o, --out <folder>', 'folder of the run')
    .option('--resume', 'go on with the run that the folder holds')
    .addOption(new Option('--engine <name>', 'what computes').choices(['auto', ...engineNames]).default('auto'))
    .addOption(threadsOption())
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Stops at the end of a step on Ctrl-C or SIGTERM, and saves. A run that was stopped, or killed, goes on from its last save with --resume and
computes what it would have computed without the interruption.

Example of a configuration:
  {
    "name": "books",
    "model": {
      "segmentLength": 128, "memoryLength": 256, "compressedMemoryLength": 256, "compressionRate": 4,
      "compressor": "convolution", "layers": 6, "heads": 4, "modelWidth": 256, "feedForwardWidth": 1024
    },
    "steps": 20000,
    "learningRate": {"peak": 0.0005, "warmUpSteps": 500},
    "updates": [{"fromStep": 0, "every": 1}, {"fromStep": 15000, "every": 4}]
  }

Examples:
  $ palimpsest train --data "books/*.txt" --valid held-out.txt --config books.json --out runs/books
  $ palimpsest train --data "books/*.txt" --valid held-out.txt --config books.json --out runs/books --resume
  $ palimpsest embed --model runs/books/best book.txt`,
    )
    .action(async (options: TrainOptions) => {
      const {runTrain} = await import('./run-train.ts');
      await runTrain(options);
    });
}
