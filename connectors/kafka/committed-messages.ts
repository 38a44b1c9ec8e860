import type {FetchedMessage} from './kafka-client.ts';
import type {RecordBatch} from './record-batches.ts';

export type AbortedTransaction = {readonly producerId: bigint; readonly firstOffset: bigint};

export type CommittedMessages = {
  readonly messages: readonly FetchedMessage[];
  /** Behind all that was looked at. */
  readonly nextOffset: bigint;
};

/**
 * Leaves out what belongs to transactions that were aborted.
 *
 * The consumer of kafkajs 2.2.4 shows such messages when transactions of several producers overlap: it takes the list of aborted
 * transactions to be in the order in which they began, which is that in which they ended, looks at one of them for each message,
 * and takes messages with a certain key for marks.
 *
 * @param batches What was fetched from `offset` on, up to the last stable offset.
 * @param options.aborted All transactions that were aborted of which there is a part in it, in any order.
 */
export async function committedMessages(
  batches: Iterable<RecordBatch>,
  {offset, aborted}: {readonly offset: bigint; readonly aborted: readonly AbortedTransaction[]},
): Promise<CommittedMessages> {
  const coming = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? 1 : -1));
  const dropping = new Set<bigint>();
  const messages: FetchedMessage[] = [];
  let nextOffset = offset;
  for (const batch of batches) {
    while (coming.length > 0 && coming.at(-1)!.firstOffset <= batch.lastOffset) {
      dropping.add(coming.pop()!.producerId);
    }
    if (batch.lastOffset >= nextOffset) nextOffset = batch.lastOffset + 1n;
    if (batch.mark === 'abort') dropping.delete(batch.producerId);
    if (batch.mark !== undefined || (batch.transactional && dropping.has(batch.producerId))) continue;
    // A broker begins with the batch in which the offset lies.
    for (const message of await batch.messages()) if (message.offset >= offset) messages.push(message);
  }
  return {messages, nextOffset};
}
