import {Command, Option} from 'commander';
import {engineNames} from '../model/engine/engine.ts';
import {shippedModel} from '../model/shipped-model.ts';
import type {EmbedOptions} from './run-embed.ts';
import {threadsOption} from './threads-option.ts';
import {wholeNumber} from './whole-number.ts';

/** `palimpsest embed`: reads documents and writes their embeddings. */
export function embedCommand(): Command {
  return new Command('embed')
    .description('Read documents with their memory and write one JSON line for each embedding')
    .argument('<inputs...>', 'files (plain or gzip), glob patterns, or - for standard input')
    .addOption(
      new Option('-m, --model <folder>', 'model folder').default(shippedModel, 'the one that comes with the package'),
    )
    .option('-s, --store <folder>', 'where memories are kept, or "memory" to keep none', '.palimpsest/store')
    .addOption(new Option('--engine <name>', 'tensor engine').choices(['auto', ...engineNames]).default('auto'))
    .option('-o, --out <file>', 'where results go; - is standard output', '-')
    .addOption(
      new Option('--every <unit>', 'one result for each document, or for each segment as well')
        .choices(['document', 'segment'])
        .default('document'),
    )
    .addOption(
      new Option('--format <format>', 'text: a file is a document; lines: a log, see --id-field; jsonl: JSON Lines')
        .choices(['text', 'lines', 'jsonl'])
        .default('text'),
    )
    .option(
      '--id-field <field>',
      'jsonl: field of the document id (default "id"); lines: JSON field or column number, else the file',
    )
    .option('--text-field <field>', 'jsonl: field of the text (default "text")')
    .option('--batch <documents>', 'documents read in one step', wholeNumber(), 8)
    .option(
      '--max-wait <ms>',
      'how long text may wait for others to fill its batch (default: 1000 with standard input, without limit else)',
      wholeNumber(),
    )
    .addOption(threadsOption())
    .addOption(
      new Option('--precision <type>', 'how matrix products multiply; auto: bfloat16 where it is faster')
        .choices(['float32', 'bfloat16', 'auto'])
        .default('float32'),
    )
    .option('--no-compile', 'run each operation by itself: begins sooner, goes on slower, differs in last digits')
    .addOption(
      new Option('--dtype <type>', 'how memories are stored; float16 halves the store and loses digits')
        .choices(['float32', 'float16'])
        .default('float32'),
    )
    .option(
      '--resume',
      'go on where an interrupted run of the same command stopped; read what was added to files since',
    )
    .option('--strict', 'stop at ill-formed UTF-8 instead of reading it as U+FFFD')
    .option('--allow-binary', 'read files that do not look like text')
    .option('--dead-letters <file>', 'where lines go that cannot be decoded (default: beside the store)')
    .option('--checkpoint-bytes <bytes>', 'input read between two checkpoints', wholeNumber(), 256 * 1024)
    .option('-q, --quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 wrong use, 130 and 143 stopped by SIGINT and SIGTERM, 141 output closed early.

Examples:
  $ palimpsest embed -m my-model book.txt
  $ palimpsest embed -m my-model --every segment -o results.jsonl 'books/**/*.txt.gz'
  $ palimpsest embed -m my-model --format jsonl --id-field doc.id --text-field body corpus.jsonl
  $ palimpsest embed -m my-model --format lines --id-field 4 --every segment --resume /var/log/syslog
  $ zcat archive.gz | palimpsest embed -m my-model -
  $ tail -F app.log | palimpsest embed -m my-model --format lines --id-field 1 --max-wait 200 -`,
    )
    .action(async (inputs: string[], options: Omit<EmbedOptions, 'inputs'>) => {
      const {runEmbed} = await import('./run-embed.ts');
      await runEmbed({...options, inputs});
    });
}
