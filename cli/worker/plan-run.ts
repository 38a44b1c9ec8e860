import {access, constants, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import type {KafkaClient} from '../../connectors/kafka/kafka-client.ts';
import type {Model} from '../../model/model.ts';
import type {WorkerConfig} from './worker-fields.ts';

export type RunPlan = {
  /** What is found, line by line. */
  readonly lines: readonly (readonly [what: string, text: string])[];
  /** What stands in the way of a run, and what to do about it. */
  readonly problems: readonly string[];
};

/** Finds out what a run would read, write and keep, and whether it could. Writes nothing. */
export async function planRun(
  config: WorkerConfig,
  {
    client,
    model,
  }: {readonly client: KafkaClient; readonly model: Model & {readonly engine?: {readonly description: string}}},
): Promise<RunPlan> {
  const lines: [string, string][] = [];
  const problems: string[] = [];
  const topic = config['input.topic'];
  const partitions = await client.partitionCount(topic);
  if (partitions === undefined) problems.push(`Topic "${topic}" of input.topic does not exist: create it`);
  else lines.push(['Input', `topic "${topic}", ${partitions} partitions, values ${config['input.format']}`]);
  for (let partition = 0; partition < (partitions ?? 0); partition++) {
    await using reader = await client.openReader(topic, partition);
    const {startOffset, endOffset} = await reader.range();
    lines.push([`  partition ${partition}`, `offsets ${startOffset} to ${endOffset}`]);
  }
  const outputs = [['Output', 'output.topic', config['output.topic']]];
  const {'deadLetters.topic': letters, 'input.undecodable': undecodable} = config;
  if (undecodable === 'dead-letter') outputs.push(['Dead letters', 'deadLetters.topic', letters!]);
  for (const [what, field, name] of outputs as [string, string, string][]) {
    const count = await client.partitionCount(name);
    if (count === undefined) problems.push(`Topic "${name}" of ${field} does not exist: create it`);
    else lines.push([what, `topic "${name}", ${count} partitions`]);
  }
  if (undecodable !== 'dead-letter') {
    lines.push(['Undecodable', undecodable === 'fail' ? 'ends the run' : 'is passed over']);
  }

  const changelog = `${config.application}.${topic}.changelog`;
  const kept = await client.partitionCount(changelog);
  lines.push(['Changelog', kept === undefined ? `topic "${changelog}", to be created` : `topic "${changelog}"`]);
  if (kept !== undefined && partitions !== undefined && kept !== partitions) {
    problems.push(
      `Topic "${topic}" has ${partitions} partitions and its changelog ${kept}: use another application name and read from the start`,
    );
  }
  const {segmentLength, memoryLength, compressedMemoryLength} = model.config;
  const sizes = `segments of ${segmentLength}, memory ${memoryLength} + ${compressedMemoryLength}`;
  lines.push(['Model', `"${model.name}", ${sizes}, fingerprint ${model.fingerprint}`]);
  if (model.engine !== undefined) lines.push(['Engine', model.engine.description]);
  if (config['store.persistent']) {
    const folder = config['store.folder'];
    const problem = await unwritable(folder);
    if (problem === undefined) lines.push(['Store', folder]);
    else problems.push(`The folder "${folder}" of store.folder cannot be used: ${problem}`);
  } else {
    lines.push(['Store', 'in the process']);
  }
  const seconds = config['delivery.checkpointEvery'] / 1000;
  lines.push(['Delivery', `${config['delivery.guarantee']}, a checkpoint each ${seconds} s`]);
  return {lines, problems};
}

/** Why a folder cannot be made or written into, or `undefined`. */
async function unwritable(folder: string): Promise<string | undefined> {
  const status = await stat(folder).catch(() => undefined);
  if (status === undefined) return dirname(folder) === folder ? 'it does not exist' : unwritable(dirname(folder));
  if (!status.isDirectory()) return `"${folder}" is a file`;
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => undefined,
    error => (error as Error).message,
  );
}
