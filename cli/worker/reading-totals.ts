import type {ReadingStatistics} from '../../operators/reading-statistics.ts';

/** What is known of a partition while it is read. */
export type Reading = {
  readonly statistics: Readonly<ReadingStatistics>;
  readonly hot: {readonly documents: number; readonly bytes: number};
  /** Behind the last record that can be read. */
  readonly endOffset: bigint;
};

/** Adds up what the readings of partitions have done, those that have ended included. */
export class ReadingTotals {
  readonly #ended: Record<keyof ReadingStatistics, number> = {
    documents: 0,
    segments: 0,
    tokens: 0,
    bytes: 0,
    replaced: 0,
    skippedRecords: 0,
    emptyDocuments: 0,
    expiredDocuments: 0,
  };
  readonly #readings = new Map<number, Reading>();

  /** Follows the reading of a partition until what it returns is disposed of. */
  follow(partition: number, reading: Reading): AsyncDisposable {
    this.#readings.set(partition, reading);
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#readings.get(partition) === reading) this.#readings.delete(partition);
        for (const name of Object.keys(this.#ended) as (keyof ReadingStatistics)[]) {
          this.#ended[name] += reading.statistics[name];
        }
      },
    };
  }

  total(name: keyof ReadingStatistics): number {
    let total = this.#ended[name];
    for (const {statistics} of this.#readings.values()) total += statistics[name];
    return total;
  }

  get readings(): ReadonlyMap<number, Reading> {
    return this.#readings;
  }
}
