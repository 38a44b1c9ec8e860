import {Command} from 'commander';
import {collected} from './collected.ts';
import type {ValidateOptions} from './run-validate.ts';

/** `palimpsest validate`: checks a worker's configuration. */
export function validateCommand(): Command {
  return new Command('validate')
    .description('Check the configuration of "palimpsest run" without connecting to anything')
    .argument('<config>', 'configuration in YAML, see docs/run.md')
    .option('--set <field=value>', 'set a field, such as reading.batch=8; may be repeated', collected, [])
    .option('--print', 'print it with what overrides it and all defaults; of secrets, where they come from')
    .addHelpText(
      'after',
      `
Exit codes: 0 it is right, 2 it is not; each thing that is wrong is shown with its line and column.

Examples:
  $ palimpsest validate worker.yaml
  $ PALIMPSEST_READING_BATCH=8 palimpsest validate worker.yaml --print`,
    )
    .action(async (config: string, options: ValidateOptions) => {
      const {runValidate} = await import('./run-validate.ts');
      await runValidate(config, options);
    });
}
