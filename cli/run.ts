import {Command, Option} from 'commander';
import {collected} from './collected.ts';
import type {RunOptions} from './run-run.ts';

/** `palimpsest run`: the worker on Kafka. */
export function runCommand(): Command {
  return new Command('run')
    .description('Read documents from Kafka with their memory and write their embeddings to Kafka, until stopped')
    .argument('<config>', 'configuration in YAML, see docs/run.md')
    .option('--set <field=value>', 'set a field, such as reading.batch=8; may be repeated', collected, [])
    .addOption(
      new Option('--guarantee <name>', 'the same as --set delivery.guarantee=<name>').choices([
        'exactly-once',
        'at-least-once',
      ]),
    )
    .option('--dry-run', 'connect, look at topics, model and store, show what would be done, and write nothing')
    .addHelpText(
      'after',
      `
Variables of the environment override the file, as PALIMPSEST_READING_BATCH does reading.batch; --set overrides both.
Passwords and tokens are not written into the file, but taken from where it says: {env: VARIABLE} or {file: path}.

SIGTERM or SIGINT lets it commit what it has read and leave its group; a second one ends it at once. Workers of one
application share the partitions of the topic: start more of them to read faster.

Exit codes: 0 stopped, all that was read is committed; 1 failed; 2 wrong use or configuration; 143 and 130 stopped by
SIGTERM and SIGINT, but not within stop.deadline or by a second signal: what was not committed is read again.

Examples:
  $ palimpsest run worker.yaml
  $ palimpsest run worker.yaml --dry-run
  $ palimpsest run worker.yaml --set reading.batch=8 --set 'kafka.brokers=[kafka-1:9092, kafka-2:9092]'
  $ PALIMPSEST_KAFKA_SASL_PASSWORD=... palimpsest run worker.yaml
  $ palimpsest run worker.yaml --guarantee at-least-once`,
    )
    .action(async (config: string, options: Omit<RunOptions, 'config'>) => {
      const {runRun} = await import('./run-run.ts');
      await runRun({...options, config});
    });
}
