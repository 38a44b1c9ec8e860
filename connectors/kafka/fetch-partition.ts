import type {AbortedTransaction} from './committed-messages.ts';
import {type KafkajsBroker, readCommitted} from './kafkajs-cluster.ts';
import {kafkajsInternals} from './kafkajs-internals.ts';
import {sendRequest} from './send-request.ts';

export type FetchPartitionRequest = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
};

export type FetchedPartition = {
  readonly lastStableOffset: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** Batches of records, up to the last stable offset. */
  readonly records: Buffer;
};

const {requests, refuse} = kafkajsInternals;

/** Fetches records of one partition from its leader, with what is needed to tell which were committed; kafkajs's own way drops it. */
export async function fetchPartition(
  broker: KafkajsBroker,
  {topic, partition, offset, maxBytes, maxWaitMs}: FetchPartitionRequest,
): Promise<FetchedPartition> {
  const {request, requestTimeout} = requests.Fetch.protocol({version: 11})({
    isolationLevel: readCommitted,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    topics: [{topic, partitions: [{partition, fetchOffset: offset.toString(), maxBytes}]}],
    rackId: '',
  });
  const response = {decode: decodeResponse, parse: (decoded: unknown) => decoded};
  return sendRequest(broker, {request, requestTimeout, response}) as Promise<FetchedPartition>;
}

/**
 * Version 11, of one partition: throttle time (4 bytes), error (2), session (4), number of topics (4), topic (2 and its length),
 * number of partitions (4), partition (4), error (2), high watermark (8), last stable offset (8), start of the log (8), number of
 * aborted transactions (4) and as often producer (8) and first offset (8), preferred replica (4), length of records (4), records.
 */
function decodeResponse(payload: Buffer): FetchedPartition & {readonly clientSideThrottleTime: number} {
  const clientSideThrottleTime = payload.readInt32BE(0);
  refuse(payload.readInt16BE(4));
  let at = 14;
  at += 2 + payload.readInt16BE(at) + 8;
  refuse(payload.readInt16BE(at));
  const lastStableOffset = payload.readBigInt64BE(at + 10);
  const count = payload.readInt32BE(at + 26);
  at += 30;
  const aborted: AbortedTransaction[] = [];
  for (let i = 0; i < count; i++, at += 16) {
    aborted.push({producerId: payload.readBigInt64BE(at), firstOffset: payload.readBigInt64BE(at + 8)});
  }
  const length = payload.readInt32BE(at + 4);
  const records = payload.subarray(at + 8, at + 8 + Math.max(0, length));
  return {clientSideThrottleTime, lastStableOffset, aborted, records};
}
