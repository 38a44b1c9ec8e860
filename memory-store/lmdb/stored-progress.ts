import type {PartitionProgress, Progress} from '../../pipeline/progress.ts';
import {checkName} from '../check-name.ts';
import {openSealedValue, sealValue} from '../sealed-value.ts';
import {storedKey} from '../stored-key.ts';
import type {LmdbTables} from './lmdb-tables.ts';

/** Earlier versions left the digest out, as do sources that have none. */
type StoredPartition = readonly [partition: string, nextOffset: string, ended: boolean, precedingDigest?: string];
type StoredLength = readonly [output: string, length: string];

/** Progress in the tables of a store. */
export const storedProgress = {
  /** @throws {StoreError} If what is stored is damaged. */
  read(tables: LmdbTables): Progress {
    return tables.read(options => {
      const partitions = new Map<string, PartitionProgress>();
      for (const {value} of tables.partitions.getRange(options)) {
        const sealed = openSealedValue<StoredPartition>(value, 'the progress of a partition');
        const [partition, nextOffset, ended, precedingDigest] = sealed;
        partitions.set(partition, {
          nextOffset: BigInt(nextOffset),
          ended,
          ...(precedingDigest !== undefined && {precedingDigest}),
        });
      }
      const outputs = new Map<string, bigint>();
      for (const {value} of tables.outputs.getRange(options)) {
        const [output, length] = openSealedValue<StoredLength>(value, 'the length of an output');
        outputs.set(output, BigInt(length));
      }
      return {partitions, outputs};
    });
  },

  /** The puts that advance it, to be run in a transaction. */
  puts(tables: LmdbTables, progress: Progress): (() => void)[] {
    const puts: (() => void)[] = [];
    for (const [partition, {nextOffset, ended, precedingDigest}] of progress.partitions) {
      checkName('partition', partition);
      const digest = precedingDigest === undefined ? [] : [precedingDigest];
      const value = sealValue([partition, nextOffset.toString(), ended, ...digest]);
      puts.push(() => tables.partitions.put(storedKey.of(partition), value));
    }
    for (const [output, length] of progress.outputs) {
      checkName('output', output);
      const value = sealValue([output, length.toString()] satisfies StoredLength);
      puts.push(() => tables.outputs.put(storedKey.of(output), value));
    }
    return puts;
  },
};
