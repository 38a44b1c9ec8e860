import {Command} from 'commander';
import {collected} from './collected.ts';
import type {ListDeadLettersOptions} from './run-list-dead-letters.ts';
import type {ReplayDeadLettersOptions} from './run-replay-dead-letters.ts';

/** `palimpsest dead-letters`: what workers could not decode. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('Show what workers could not decode, and let them read it again')
    .addCommand(
      new Command('list')
        .description('Show the dead letters of a worker')
        .argument('<config>', 'configuration of the worker')
        .option('--set <field=value>', 'set a field; may be repeated', collected, [])
        .option('--all', 'show those as well that were replayed')
        .option('--json', 'print a line of JSON for each, with its content')
        .addHelpText(
          'after',
          `
Examples:
  $ palimpsest dead-letters list worker.yaml
  $ palimpsest dead-letters list worker.yaml --json | jq -r .message | sort | uniq -c`,
        )
        .action(async (config: string, options: ListDeadLettersOptions) => {
          const {runListDeadLetters} = await import('./run-list-dead-letters.ts');
          await runListDeadLetters(config, options);
        }),
    )
    .addCommand(
      new Command('replay')
        .description('Write dead letters into the topic again that they came from, each once')
        .argument('<config>', 'configuration of the worker')
        .option('--set <field=value>', 'set a field; may be repeated', collected, [])
        .option('--key <document>', 'only those of this document; may be repeated', collected, [])
        .addHelpText(
          'after',
          `
A letter comes behind all that its document has by now. What cannot be decoded still becomes a dead letter again: change
the configuration first.

Examples:
  $ palimpsest dead-letters replay worker.yaml
  $ palimpsest dead-letters replay worker.yaml --key web-01 --key web-02`,
        )
        .action(async (config: string, options: ReplayDeadLettersOptions) => {
          const {runReplayDeadLetters} = await import('./run-replay-dead-letters.ts');
          await runReplayDeadLetters(config, options);
        }),
    );
}
