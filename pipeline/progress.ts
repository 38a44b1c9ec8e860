/** How far a source partition has been consumed. */
export type PartitionProgress = {
  /** Offset of the first record not yet covered. */
  readonly nextOffset: bigint;
  /** Whether the partition was finished there, its documents' last chunks included. */
  readonly ended: boolean;
  /** Digest of what lies right before `nextOffset`, by which a source that goes on there can tell whether it still does. */
  readonly precedingDigest?: string;
};

/** What a durable checkpoint says about the outside world; kept in the memory store beside the memories. */
export type Progress = {
  readonly partitions: ReadonlyMap<string, PartitionProgress>;
  /** Durable length in bytes of each named output, for outputs that can be cut back to it. */
  readonly outputs: ReadonlyMap<string, bigint>;
};
