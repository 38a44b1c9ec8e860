import {isUtf8} from 'node:buffer';
import {Command} from 'commander';
import {DeadLetterTopic, type ListedDeadLetter} from '../connectors/kafka/dead-letter-topic.ts';
import {collected} from './collected.ts';
import {countOf} from './count-of.ts';
import {connectKafka} from './worker/connect-kafka.ts';
import {readWorkerConfig} from './worker/read-worker-config.ts';
import type {WorkerConfig} from './worker/worker-fields.ts';
import {workerLog} from './worker/worker-log.ts';

type ListOptions = {
  readonly set: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
};

type ReplayOptions = {readonly set: readonly string[]; readonly key: readonly string[]};

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
        .action(listLetters),
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
        .action(replayLetters),
    );
}

async function listLetters(path: string, {set, all, json}: ListOptions): Promise<void> {
  const {values: config} = await readWorkerConfig(path, {assignments: set});
  await using client = await connectKafka(config, workerLog({level: 'error', format: 'text'}));
  let count = 0;
  let replayed = 0;
  for await (const letter of new DeadLetterTopic(client, topicOf(config)).list()) {
    if (letter.replayed) replayed++;
    if (letter.replayed && !all) continue;
    count++;
    if (json) console.log(JSON.stringify(asJson(letter)));
    else console.log(asText(letter));
  }
  if (!json) console.log(`${countOf(count, 'dead letter')}, ${replayed} replayed`);
}

async function replayLetters(path: string, {set, key}: ReplayOptions): Promise<void> {
  const {values: config} = await readWorkerConfig(path, {assignments: set});
  await using client = await connectKafka(config, workerLog({level: 'error', format: 'text'}));
  const input = config['input.topic'];
  const count = await new DeadLetterTopic(client, topicOf(config)).replay({
    input,
    application: config.application,
    keys: key.length === 0 ? undefined : new Set(key),
    onProgress: replayed => process.stderr.write(`Replayed ${countOf(replayed, 'dead letter')}\n`),
  });
  console.log(`Replayed ${countOf(count, 'dead letter')} into topic "${input}"`);
}

function topicOf(config: WorkerConfig): string {
  const topic = config['deadLetters.topic'];
  if (topic !== undefined) return topic;
  throw new TypeError('Cannot read dead letters as the configuration must have "deadLetters.topic": it is missing');
}

function asText({source, timestamp, key, message, replayed}: ListedDeadLetter): string {
  return `${source}  ${new Date(timestamp).toISOString()}  ${JSON.stringify(key)}  ${message}${replayed ? '  (replayed)' : ''}`;
}

function asJson({source, timestamp, key, errorName, message, content, last, replayed}: ListedDeadLetter): object {
  const [partition, offset] = source.split('@');
  const bytes = Buffer.from(content);
  const body = isUtf8(bytes) ? {content: bytes.toString()} : {contentBase64: bytes.toString('base64')};
  return {partition, offset, key, timestamp, error: errorName, message, ...body, last, replayed};
}
