import {PipelineError} from '../../errors.ts';

/** Highest version of each request that kafkajs 2.2.4 can speak, by number of the request. */
const spoken = [
  ['Produce', 0, 7],
  ['Fetch', 1, 11],
  ['ListOffsets', 2, 3],
  ['Metadata', 3, 6],
  ['OffsetFetch', 9, 4],
  ['FindCoordinator', 10, 2],
  ['JoinGroup', 11, 5],
  ['Heartbeat', 12, 3],
  ['LeaveGroup', 13, 3],
  ['SyncGroup', 14, 3],
  ['CreateTopics', 19, 3],
  ['InitProducerId', 22, 1],
  ['AddPartitionsToTxn', 24, 1],
  ['AddOffsetsToTxn', 25, 1],
  ['EndTxn', 26, 1],
  ['TxnOffsetCommit', 28, 1],
] as const;

/** The reader speaks Fetch 11 alone, of Kafka 2.3; Produce 3 brought transactions. */
const needed: Readonly<Record<string, number>> = {Fetch: 11, Produce: 3};

/**
 * Makes sure that client and broker have a version of every request in common.
 *
 * @param versions What the broker understands, by number of the request.
 * @throws {PipelineError} If not; says on which side the fault lies.
 */
export function checkBrokerVersions(
  versions: Readonly<Record<number, {readonly minVersion: number; readonly maxVersion: number}>>,
): void {
  for (const [name, number, highest] of spoken) {
    const range = versions[number];
    const lowest = needed[name] ?? 0;
    if (range === undefined || range.maxVersion < lowest) {
      throw new PipelineError(
        `Cannot use the broker as it must understand version ${lowest} of ${name}: it understands ${range === undefined ? 'none' : `up to ${range.maxVersion}`}; upgrade it to Kafka 2.3 or later`,
      );
    }
    if (range.minVersion > highest) {
      throw new PipelineError(
        `Cannot use the broker as it must understand version ${highest} of ${name}: it understands only ${range.minVersion} to ${range.maxVersion}; it is newer than what this version of Palimpsest can speak to, which was tested with Kafka 3.9 and 4.3`,
      );
    }
  }
}
