import {logEntries} from './log-entries.ts';

const names = [
  'empty',
  'ongoing',
  'to be committed',
  'to be aborted',
  'committed',
  'aborted',
  'dead',
  'to be shut out',
] as const;

/**
 * What the coordinator last wrote of each transactional id, from a broker's folder. A value is its version (2 bytes), the producer's id
 * (8) and epoch (2), its timeout (4), the state (1), and more.
 */
export async function transactionStates(data: string): Promise<string[]> {
  const states = new Map<string, string>();
  for (const {key, value} of await logEntries(data, '__transaction_state')) {
    // A version (2 bytes) and the length of the name (2).
    const id = Buffer.from(key!).toString('utf8', 4);
    if (value === undefined) continue;
    const bytes = Buffer.from(value);
    states.set(
      id,
      `${id}: ${names[bytes.readInt8(16)]}; producer ${bytes.readBigInt64BE(2)}, epoch ${bytes.readInt16BE(10)}`,
    );
  }
  return [...states.values()].sort();
}
