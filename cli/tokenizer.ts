import {Command} from 'commander';
import type {TrainTokenizerCommandOptions} from './run-train-tokenizer.ts';
import {wholeNumber} from './whole-number.ts';

/** `palimpsest tokenizer`: what has to do with tokenizers. */
export function tokenizerCommand(): Command {
  return new Command('tokenizer').description('Make tokenizers').addCommand(trainCommand());
}

function trainCommand(): Command {
  return new Command('train')
    .summary('Train a byte-level BPE tokenizer')
    .description(
      'Trains a byte-level BPE tokenizer on documents and writes a tokenizer.json, which Hugging Face libraries load too. Any text becomes tokens of it, none unknown.',
    )
    .requiredOption('-d, --data <paths...>', 'documents: files, plain or gzip, and patterns such as "books/*.gz"')
    .option('--vocabulary <tokens>', 'tokens, the 256 bytes included', wholeNumber(), 8192)
    .option('-o, --out <file>', 'where to write it', 'tokenizer.json')
    .option('--gutenberg', 'count only the text between the markers of Project Gutenberg')
    .option('--force', 'replace a file that is there')
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
The same documents in the same order give the same file.

Examples:
  $ palimpsest tokenizer train --data "books/*.txt.gz" --vocabulary 8192 --gutenberg --out tokenizer.json
  $ palimpsest tokenizer train --data /var/log/syslog access.log --vocabulary 4096 --out logs.json
  $ palimpsest init my-model --tokenizer tokenizer.json`,
    )
    .action(async (options: TrainTokenizerCommandOptions) => {
      const {runTrainTokenizer} = await import('./run-train-tokenizer.ts');
      await runTrainTokenizer(options);
    });
}
