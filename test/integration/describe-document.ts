import {logEntries} from './log-entries.ts';

export type DescribeDocumentOptions = {
  /** Folder of a broker that has all partitions. */
  readonly data: string;
  readonly application: string;
  readonly topic: string;
  readonly output: string;
};

/**
 * All that brokers hold of a document: its records, its results whether or not they were committed, and how the progress of its
 * partition went.
 */
export async function describeDocument(
  key: string,
  {data, application, topic, output}: DescribeDocumentOptions,
): Promise<string> {
  const keyOf = (entry: {readonly key: Uint8Array | undefined}) => Buffer.from(entry.key ?? []).toString();
  const of = (entry: {readonly producerId: bigint; readonly epoch: number; readonly sequence: number}) =>
    `producer ${entry.producerId}, epoch ${entry.epoch}, sequence ${entry.sequence}`;
  const records = (await logEntries(data, topic)).filter(entry => keyOf(entry) === key);
  const results = (await logEntries(data, output)).filter(entry => keyOf(entry) === key);
  const partition = records[0]?.partition;
  const changelog = (await logEntries(data, `${application}.${topic}.changelog`)).filter(
    entry => entry.partition === partition,
  );
  return [
    `Records of ${key}:`,
    ...records.map(entry => `  ${entry.partition}@${entry.offset}: ${entry.value?.length} bytes; ${of(entry)}`),
    'Its results:',
    ...results.map(entry => {
      const {segments, tokens, final} = JSON.parse(Buffer.from(entry.value ?? []).toString()) as Record<
        string,
        unknown
      >;
      const headers = Object.entries(entry.headers).map(([name, value]) => `${name} ${Buffer.from(value)}`);
      return `  ${entry.partition}@${entry.offset} ${entry.transaction}: ${final ? 'final, ' : ''}segment ${segments}, ${tokens} tokens; ${of(entry)}; ${headers.join(', ')}`;
    }),
    `Changelog of partition ${partition}:`,
    ...changelog
      .filter(entry => keyOf(entry) === 'progress' || keyOf(entry).endsWith(`:${key}`))
      .map(entry => {
        const what = keyOf(entry) === 'progress' ? Buffer.from(entry.value ?? []).toString() : keyOf(entry);
        return `  ${entry.offset} ${entry.transaction}: ${what}; ${of(entry)}`;
      }),
  ].join('\n');
}
