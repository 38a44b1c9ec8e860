import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {FetchedMessage} from '../../connectors/kafka/kafka-client.ts';
import {recordBatches} from '../../connectors/kafka/record-batches.ts';

/** A record as it lies on a broker's disk, whether or not readers are shown it. */
export type LogEntry = FetchedMessage & {
  readonly partition: number;
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
  /** What became of its transaction; `undefined` if it is in none. */
  readonly transaction: 'committed' | 'aborted' | 'open' | undefined;
};

/** Where things lie in a batch of format 2. */
const at = {length: 8, epoch: 51, sequence: 53} as const;

/** All records of a topic as they lie in a broker's folder, partition after partition. */
export async function logEntries(data: string, topic: string): Promise<LogEntry[]> {
  const folders = (await readdir(data)).filter(name => name.replace(/-\d+$/, '') === topic);
  const partitions = folders.map(async folder => {
    const partition = Number(folder.slice(topic.length + 1));
    const segments = (await readdir(join(data, folder))).filter(name => name.endsWith('.log')).sort();
    const files = await Promise.all(segments.map(name => readFile(join(data, folder, name))));
    return partitionEntries(Buffer.concat(files), partition);
  });
  return (await Promise.all(partitions)).flat().sort((a, b) => a.partition - b.partition);
}

async function partitionEntries(bytes: Buffer, partition: number): Promise<LogEntry[]> {
  const entries: {-readonly [Name in keyof LogEntry]: LogEntry[Name]}[] = [];
  let start = 0;
  for (const {producerId, transactional, mark, messages} of recordBatches(bytes)) {
    const epoch = bytes.readInt16BE(start + at.epoch);
    const sequence = bytes.readInt32BE(start + at.sequence);
    start += at.length + 4 + bytes.readInt32BE(start + at.length);
    if (mark === undefined) {
      const transaction = transactional ? 'open' : undefined;
      for (const [index, message] of (await messages()).entries()) {
        entries.push({...message, partition, producerId, epoch, sequence: sequence + index, transaction});
      }
      continue;
    }
    for (const entry of entries) {
      if (entry.producerId !== producerId || entry.transaction !== 'open') continue;
      entry.transaction = mark === 'commit' ? 'committed' : 'aborted';
    }
  }
  return entries;
}
