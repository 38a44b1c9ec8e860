import type {KafkajsBroker} from './kafkajs-cluster.ts';
import {kafkajsInternals} from './kafkajs-internals.ts';
import {sendRequest} from './send-request.ts';

export type DescribedTransaction = {
  /** `Empty`, `Ongoing`, `PrepareCommit`, `CompleteCommit`, `PrepareAbort`, `CompleteAbort` or one that is not told apart here. */
  readonly state: string;
  readonly producerId: bigint;
};

/** Number of the request, which Kafka 3.0 brought. */
export const describeTransactionsApi = 65;

const unknownId = 105;

const {encoder, decoder, refuse} = kafkajsInternals;

/**
 * Asks the coordinator of a transactional id for its latest transaction.
 *
 * @returns `undefined` if the id was never used, or so long ago that it was forgotten.
 */
export async function describeTransaction(
  coordinator: KafkajsBroker,
  transactionalId: string,
): Promise<DescribedTransaction | undefined> {
  const request = {
    apiKey: describeTransactionsApi,
    apiVersion: 0,
    apiName: 'DescribeTransactions',
    // Tags of the header come first, those of the request last: there are none.
    encode: async () =>
      encoder()
        .writeUVarInt(0)
        .writeUVarIntArray([encoder().writeUVarIntString(transactionalId)])
        .writeUVarInt(0),
  };
  const response = {decode, parse: (answer: unknown) => answer};
  const {errorCode, ...described} = (await sendRequest(coordinator, {request, response})) as Answer;
  if (errorCode === unknownId) return undefined;
  refuse(errorCode);
  return described;
}

type Answer = DescribedTransaction & {readonly errorCode: number};

async function decode(payload: Buffer): Promise<Answer> {
  const fields = decoder(payload);
  fields.readTaggedFields();
  // For how long to ask for nothing.
  fields.readInt32();
  const answers = fields.readUVarIntArray(() => {
    const errorCode = fields.readInt16();
    // The id.
    fields.readUVarIntString();
    const state = fields.readUVarIntString()!;
    // The timeout, and when it began.
    fields.readInt32();
    fields.readInt64();
    return {errorCode, state, producerId: BigInt(fields.readInt64().toString())};
  });
  return answers![0]!;
}
