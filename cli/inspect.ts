import {Command} from 'commander';
import type {InspectOptions} from './run-inspect.ts';

/** `palimpsest inspect`: shows what is remembered. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what is remembered of a document, or which documents are remembered')
    .argument('[document]', 'document id; without it, documents are listed')
    .option('-s, --store <folder>', 'where memories are kept', '.palimpsest/store')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
May be used while a run is writing to the store.

Examples:
  $ palimpsest inspect
  $ palimpsest inspect book.txt
  $ palimpsest inspect --store memories --json web-01.example.org`,
    )
    .action(async (document: string | undefined, options: InspectOptions) => {
      const {runInspect} = await import('./run-inspect.ts');
      await runInspect(document, options);
    });
}
