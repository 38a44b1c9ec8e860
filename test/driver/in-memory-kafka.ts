import {randomUUID} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import type {
  FetchedMessage,
  GroupMember,
  JoinOptions,
  KafkaCallOptions,
  KafkaClient,
  OutgoingMessage,
  PartitionReader,
  TransactionalProducer,
} from '../../connectors/kafka/kafka-client.ts';
import {FencedError, PipelineError, SourceError} from '../../errors.ts';

/** What can be made to go wrong, once each time it is asked for. */
export type InMemoryKafkaFault = {
  /** `before`: the call has no effect; `after`: it has, but its caller is told of a failure. */
  readonly when: 'before' | 'after';
  readonly call: 'send' | 'commit' | 'openProducer' | 'fetch';
  /** The topic to or from which the call must go. @default any */
  readonly topic?: string;
};

type Entry = {
  message: FetchedMessage | undefined;
  /** The transaction that wrote it. */
  readonly transaction: Transaction;
};
type Transaction = {
  state: 'open' | 'committed' | 'aborted';
  readonly touched: Set<Partition>;
  readonly offsets: Map<string, bigint>;
};
type Partition = {readonly topicId: string; entries: Entry[]; startOffset: number};
type Group = {
  readonly topic: string;
  generation: number;
  readonly members: Map<symbol, JoinOptions>;
  offsets: Map<string, bigint>;
};

/**
 * A Kafka cluster in this process, with what the connector relies on: producers that shut out earlier ones of the same id,
 * transactions of which readers see all or nothing and never overtake an open one, compaction, deletion, and groups.
 *
 * It passes the same suite as a real cluster, `testKafkaClient`.
 */
export class InMemoryKafka implements KafkaClient {
  readonly #topics = new Map<string, Partition[]>();
  readonly #epochs = new Map<string, {epoch: number; open: Transaction | undefined}>();
  readonly #groups = new Map<string, Group>();
  #faults: InMemoryKafkaFault[] = [];
  #wake = new Set<() => void>();

  /** Lets the next call of a kind fail. */
  fail(fault: InMemoryKafkaFault): void {
    this.#faults.push(fault);
  }

  /** Lets nothing fail any more that has not failed yet. */
  heal(): void {
    this.#faults = [];
  }

  async partitionCount(topic: string, {signal}: KafkaCallOptions = {}): Promise<number | undefined> {
    signal?.throwIfAborted();
    return this.#topics.get(topic)?.length;
  }

  async createTopic(topic: string, {partitions, signal}: KafkaCallOptions & {partitions: number}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#topics.has(topic)) return;
    const topicId = randomUUID();
    this.#topics.set(
      topic,
      Array.from({length: partitions}, () => ({topicId, entries: [], startOffset: 0})),
    );
  }

  /** Deletes a topic, which can then be created anew. */
  async deleteTopic(topic: string): Promise<void> {
    this.#topics.delete(topic);
  }

  /** Removes all committed records of a topic that have a later one of the same key, and tombstones, as a cleaner may at any time. */
  compact(topic: string): void {
    for (const partition of this.#topics.get(topic)!) {
      const end = stableEnd(partition);
      const latest = new Map<string, number>();
      for (const [offset, {message, transaction}] of partition.entries.slice(0, end).entries()) {
        if (message !== undefined && transaction.state === 'committed') latest.set(keyOf(message), offset);
      }
      for (const [offset, entry] of partition.entries.slice(0, end).entries()) {
        const {message} = entry;
        if (message === undefined) continue;
        if (latest.get(keyOf(message)) !== offset || message.value === undefined) entry.message = undefined;
      }
    }
  }

  /** Deletes the records before an offset, as retention does. */
  deleteRecords(topic: string, partition: number, before: bigint): void {
    this.#partition(topic, partition).startOffset = Number(before);
  }

  /** How far a group has read, as its committed transactions say. */
  groupOffset(group: string, topic: string, partition: number): bigint | undefined {
    return this.#groups.get(group)?.offsets.get(`${topic}/${partition}`);
  }

  /** Takes all partitions from one member of a group, as when it was silent for too long; it is not told. */
  expel(group: string, member: GroupMember): void {
    const members = this.#groups.get(group)?.members;
    if (members?.delete((member as Member).id)) this.#deal(group);
  }

  async openReader(topic: string, partition: number): Promise<PartitionReader> {
    const log = this.#partition(topic, partition);
    const name = `partition ${partition} of topic "${topic}"`;
    const closing = new AbortController();
    return {
      range: async ({signal} = {}) => {
        signal?.throwIfAborted();
        closing.signal.throwIfAborted();
        return {startOffset: BigInt(log.startOffset), endOffset: BigInt(stableEnd(log))};
      },
      topicId: async ({signal} = {}) => {
        signal?.throwIfAborted();
        closing.signal.throwIfAborted();
        return log.topicId;
      },
      fetch: async (offset, {maxBytes, maxWaitMs, signal}) => {
        const ended = [...(signal === undefined ? [] : [signal]), closing.signal];
        for (const each of ended) each.throwIfAborted();
        this.#meet('before', 'fetch', topic);
        if (offset < log.startOffset || offset > log.entries.length) {
          throw new SourceError(
            `Cannot read ${name} on from offset ${offset} as its records must be there: it has ${log.startOffset} to ${log.entries.length}`,
          );
        }
        if (Number(offset) >= stableEnd(log)) await this.#written(maxWaitMs, ended);
        for (const each of ended) each.throwIfAborted();
        const end = stableEnd(log);
        const messages: FetchedMessage[] = [];
        let next = Number(offset);
        for (let bytes = 0; next < end && bytes < maxBytes; next++) {
          const {message, transaction} = log.entries[next]!;
          if (message === undefined || transaction.state !== 'committed') continue;
          messages.push(message);
          bytes += (message.value?.length ?? 0) + 70;
        }
        return {messages, nextOffset: BigInt(next), endOffset: BigInt(end)};
      },
      [Symbol.asyncDispose]: async () =>
        closing.abort(new PipelineError(`Cannot read ${name} as its reader must be open: it has been closed`)),
    };
  }

  async openProducer(transactionalId: string, {signal}: KafkaCallOptions = {}): Promise<TransactionalProducer> {
    signal?.throwIfAborted();
    this.#meet('before', 'openProducer');
    const last = this.#epochs.get(transactionalId);
    if (last?.open !== undefined) this.#finish(last.open, 'aborted');
    const state: {epoch: number; open: Transaction | undefined} = {epoch: (last?.epoch ?? -1) + 1, open: undefined};
    this.#epochs.set(transactionalId, state);
    const check = () => {
      if (this.#epochs.get(transactionalId) === state) return;
      throw new FencedError(`Cannot write as another producer was opened for "${transactionalId}"`);
    };
    return {
      send: async (topic, partition, messages) => {
        check();
        this.#meet('before', 'send', topic);
        const log = this.#partition(topic, partition);
        state.open ??= {state: 'open', touched: new Set(), offsets: new Map()};
        state.open.touched.add(log);
        const first = log.entries.length;
        for (const message of messages) {
          log.entries.push({message: stored(message, BigInt(log.entries.length)), transaction: state.open});
        }
        this.#meet('after', 'send', topic);
        return BigInt(first);
      },
      sendOffset: async (group, topic, partition, nextOffset) => {
        check();
        state.open!.offsets.set(`${group}\0${topic}/${partition}`, nextOffset);
      },
      commit: async () => {
        check();
        this.#meet('before', 'commit');
        if (state.open !== undefined) this.#finish(state.open, 'committed');
        state.open = undefined;
        this.#meet('after', 'commit');
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async join(options: JoinOptions): Promise<GroupMember> {
    options.signal?.throwIfAborted();
    const group = this.#group(options.group, options.topic);
    const member: Member = {
      id: Symbol(options.group),
      confirmed: async () => {
        await delay(0);
        if (group.members.has(member.id)) return;
        // Expelled: it learns so now, and joins again.
        group.members.set(member.id, options);
        this.#deal(options.group);
      },
      [Symbol.asyncDispose]: async () => {
        if (group.members.delete(member.id)) this.#deal(options.group);
      },
    };
    group.members.set(member.id, options);
    this.#deal(options.group);
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #partition(topic: string, partition: number): Partition {
    const found = this.#topics.get(topic)?.[partition];
    if (found === undefined)
      throw new PipelineError(`Cannot find partition ${partition} of topic "${topic}": there is none`);
    return found;
  }

  #group(name: string, topic: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = {topic, generation: 0, members: new Map(), offsets: new Map()};
      this.#groups.set(name, group);
    }
    return group;
  }

  #deal(name: string): void {
    const {topic, members} = this.#groups.get(name)!;
    const partitions = this.#topics.get(topic)?.length ?? 0;
    const all = [...members.values()];
    for (const [index, {onAssigned}] of all.entries()) {
      const own = Array.from({length: partitions}, (_, partition) => partition).filter(p => p % all.length === index);
      queueMicrotask(() => onAssigned(own));
    }
  }

  #finish(transaction: Transaction, state: 'committed' | 'aborted'): void {
    transaction.state = state;
    // The mark takes an offset, as in a real partition.
    for (const log of transaction.touched) log.entries.push({message: undefined, transaction});
    if (state === 'committed') {
      for (const [name, offset] of transaction.offsets) {
        const [group, partition] = name.split('\0') as [string, string];
        this.#group(group, '').offsets.set(partition, offset);
      }
    }
    for (const wake of this.#wake) wake();
  }

  #meet(when: InMemoryKafkaFault['when'], call: InMemoryKafkaFault['call'], at?: string): void {
    const index = this.#faults.findIndex(
      ({topic = at, ...fault}) => fault.when === when && fault.call === call && topic === at,
    );
    if (index === -1) return;
    this.#faults.splice(index, 1);
    throw new PipelineError(`Cannot ${call} as it was made to fail ${when} it was done`, {retriable: true});
  }

  async #written(maxWaitMs: number, ended: readonly AbortSignal[]): Promise<void> {
    await new Promise<void>(resolve => {
      const wake = () => {
        clearTimeout(timer);
        for (const signal of ended) signal.removeEventListener('abort', wake);
        this.#wake.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, maxWaitMs);
      for (const signal of ended) signal.addEventListener('abort', wake);
      this.#wake.add(wake);
    });
  }
}

type Member = GroupMember & {readonly id: symbol};

function stableEnd({entries}: Partition): number {
  const open = entries.findIndex(({transaction}) => transaction.state === 'open');
  return open === -1 ? entries.length : open;
}

function keyOf({key}: FetchedMessage): string {
  return Buffer.from(key ?? []).toString('latin1');
}

function stored({key, value, headers = {}, timestamp = Date.now()}: OutgoingMessage, offset: bigint): FetchedMessage {
  return {
    offset,
    key: Buffer.from(key),
    // Not `slice`, which on a Buffer is a view.
    value: value && Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    timestamp,
  };
}
