/** A record as it lies in a partition. */
export type FetchedMessage = {
  readonly offset: bigint;
  /** `undefined` if the record has no key. */
  readonly key: Uint8Array | undefined;
  /** `undefined` for a tombstone. */
  readonly value: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, Uint8Array>>;
  /** In milliseconds since 1970. */
  readonly timestamp: number;
};

/** A record to be written. */
export type OutgoingMessage = {
  readonly key: string | Uint8Array;
  /** `undefined` writes a tombstone. */
  readonly value: Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** In milliseconds since 1970. @default when it is sent */
  readonly timestamp?: number | undefined;
};

/** Of calls that wait for brokers. */
export type KafkaCallOptions = {
  /** Ends the call, however long brokers stay away; it then rejects with the signal's reason and leaves nothing open. */
  readonly signal?: AbortSignal | undefined;
};

/** What one call to {@link PartitionReader.fetch} has read. */
export type Fetched = {
  /** Committed records from the offset asked for on, in order; none if none came within the wait. */
  readonly messages: readonly FetchedMessage[];
  /** Where to go on: behind the records, and behind the marks of transactions that follow them. */
  readonly nextOffset: bigint;
  /** Behind the last record that can be read: the last stable offset. */
  readonly endOffset: bigint;
};

/** Reads one partition, committed records only. One call at a time. Disposing of it ends a call that waits, which then rejects. */
export interface PartitionReader extends AsyncDisposable {
  /** Offset of the first record that is still there, and {@link Fetched.endOffset}. Waits out brokers that are away. */
  range(options?: KafkaCallOptions): Promise<{readonly startOffset: bigint; readonly endOffset: bigint}>;
  /** What the topic has that no other has, also of the same name; `undefined` if brokers do not tell. Waits out brokers that are away. */
  topicId(options?: KafkaCallOptions): Promise<string | undefined>;
  /**
   * Waits out brokers that are away.
   *
   * @param options.maxBytes Roughly how much to read at once; one record is read whatever its size.
   * @param options.maxWaitMs How long to wait for a first record, in milliseconds.
   * @throws {SourceError} If the record at `offset` has been deleted, or the partition ends before `offset`.
   */
  fetch(
    offset: bigint,
    options: KafkaCallOptions & {readonly maxBytes: number; readonly maxWaitMs: number},
  ): Promise<Fetched>;
}

/**
 * Writes in transactions, one after the other. After a failure nothing more can be sent: only opening another producer under
 * the same id settles what became of the transaction. Calls are made one at a time. Disposing of it ends one that waits, which then rejects.
 *
 * Every method throws a {@link FencedError} once another producer was opened under the same id.
 */
export interface TransactionalProducer extends AsyncDisposable {
  /**
   * Writes messages into one partition; the first call after {@link commit} begins a transaction. Their bytes may be changed once it resolves.
   *
   * @returns The offset of the first of them.
   */
  send(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<bigint>;
  /** Stores how far a group has read as part of the transaction, for tools that show lag. Something must have been sent before. */
  sendOffset(group: string, topic: string, partition: number, nextOffset: bigint): Promise<void>;
  /**
   * Makes everything since the last commit visible, as a whole, when it resolves or shortly after. If it fails, it may have been
   * done nevertheless.
   */
  commit(): Promise<void>;
}

export type ProducerOptions = KafkaCallOptions & {
  /** All topics that producers of this id write to. */
  readonly topics: readonly string[];
  /** After this long the cluster itself drops a transaction that is open, in milliseconds. */
  readonly transactionTimeoutMs: number;
};

export type JoinOptions = KafkaCallOptions & {
  readonly group: string;
  readonly topic: string;
  /** How long a member may be silent before its partitions are given to others, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /** Partitions whose memories this member has stored, so that it rather gets those than others. */
  readonly stored: () => Iterable<number>;
  /** Called whenever partitions are dealt out anew, with all that this member then has. */
  readonly onAssigned: (partitions: readonly number[]) => void;
  /** Called once, when the membership has ended for good other than by leaving. */
  readonly onFailed: (error: Error) => void;
};

/** A membership in a consumer group; disposing of it leaves the group, and does not wait for brokers that are away. */
export interface GroupMember extends AsyncDisposable {
  /** Resolves once the group has, after this call, acknowledged that the latest assignment is still valid or made another. */
  confirmed(): Promise<void>;
}

/** What the connector needs of a Kafka cluster. */
export interface KafkaClient extends AsyncDisposable {
  /**
   * Number of partitions, or `undefined` if there is no such topic.
   *
   * @throws {PipelineError} If brokers are away for long, or refuse to tell.
   */
  partitionCount(topic: string, options?: KafkaCallOptions): Promise<number | undefined>;
  /**
   * Creates a topic, which can be used once this resolves; does nothing if there is one.
   *
   * @throws {PipelineError} If brokers are away for long, refuse it, or do not come to know the new topic.
   */
  createTopic(
    topic: string,
    options: KafkaCallOptions & {readonly partitions: number; readonly config?: Readonly<Record<string, string>>},
  ): Promise<void>;
  /** Opens a reader of one partition. Waits for no broker: that there is no such partition, its first call says. */
  openReader(topic: string, partition: number): Promise<PartitionReader>;
  /**
   * Opens a producer and thereby shuts out every earlier one with this id, which cannot write any more. What they had committed can
   * be read, and what they had not is dropped, before this resolves.
   *
   * @throws {PipelineError} If brokers are away for long, or refuse it.
   */
  openProducer(transactionalId: string, options: ProducerOptions): Promise<TransactionalProducer>;
  /**
   * Makes this process a member of a consumer group, to which the group deals partitions from then on, the first time perhaps before this resolves.
   *
   * @throws {PipelineError} If brokers refuse it; those that are away are waited for after it has resolved.
   */
  join(options: JoinOptions): Promise<GroupMember>;
}
