import {AssignerProtocol, type Consumer, type Kafka, type PartitionAssigner} from 'kafkajs';
import {abandonCluster} from './abandon-cluster.ts';
import {dealPartitions, type MemberClaim} from './deal-partitions.ts';
import type {GroupMember, JoinOptions} from './kafka-client.ts';
import {kafkaFailure} from './kafka-failure.ts';
import {type KafkajsCluster, withCluster} from './kafkajs-cluster.ts';
import {untilAborted} from './until-aborted.ts';

const {MemberMetadata, MemberAssignment} = AssignerProtocol;

type Claim = {
  readonly owned: readonly (readonly [partition: number, since: number])[];
  readonly stored: readonly number[];
};

const shortestPauseMs = 100;
const longestPauseMs = 2000;

/** How long it is tried to tell the group that a member leaves; it finds out by itself when the session's time is over. */
const leavingMs = 2000;

/**
 * A consumer of kafkajs that never reads: it keeps the membership, and readers of their own read.
 *
 * So heartbeats do not wait for work, and a rebalance interrupts none but those partitions that go to somebody else.
 */
export class KafkajsMember implements GroupMember {
  readonly #consumer: Consumer;
  #cluster: KafkajsCluster | undefined;
  readonly #options: JoinOptions;
  /** Partitions that this member has, and since when. */
  #owned = new Map<number, number>();
  #failure: Error | undefined;
  #beats = 0;
  #wake = new Set<() => void>();
  /** When the group last acknowledged this member. */
  #heard = 0;
  #left = false;
  #pauseMs = shortestPauseMs;
  #rejoining: NodeJS.Timeout | undefined;

  static async join(kafka: Kafka, options: JoinOptions): Promise<KafkajsMember> {
    const {signal} = options;
    signal?.throwIfAborted();
    const member = new KafkajsMember(kafka, options);
    try {
      await untilAborted(member.#join(), {signal});
      if (member.#failure !== undefined) throw member.#failure;
      return member;
    } catch (error) {
      await member[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(kafka: Kafka, options: JoinOptions) {
    this.#options = options;
    const {group, topic, sessionTimeoutMs, stored, onAssigned} = options;
    const heartbeatInterval = Math.min(3000, Math.floor(sessionTimeoutMs / 4));
    const assigner: PartitionAssigner = ({cluster}) => ({
      name: 'palimpsest-sticky',
      version: 0,
      protocol: ({topics}) => ({
        name: 'palimpsest-sticky',
        metadata: MemberMetadata.encode({
          version: 0,
          topics,
          userData: Buffer.from(JSON.stringify({owned: [...this.#owned], stored: [...stored()]} satisfies Claim)),
        }),
      }),
      async assign({members}) {
        const claims = members.map(({memberId, memberMetadata}) => memberClaim(memberId, memberMetadata));
        const dealt = dealPartitions(cluster.findTopicPartitionMetadata(topic).length, claims);
        return [...dealt].map(([memberId, partitions]) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: 0,
            assignment: {[topic]: partitions},
            userData: Buffer.alloc(0),
          }),
        }));
      },
    });
    const observed = withCluster(kafka, cluster => {
      this.#cluster = cluster;
      return cluster;
    });
    this.#consumer = observed.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval,
      // How long kafkajs sleeps while there is nothing to read, and it looks at heartbeats only then.
      maxWaitTimeInMs: Math.min(250, heartbeatInterval),
      partitionAssigners: [assigner],
      allowAutoTopicCreation: false,
      // It would begin anew ten times a second while no broker can be reached, but never where none knows the coordinator.
      retry: {initialRetryTime: 100, maxRetryTime: 2000, retries: 10, restartOnFailure: async () => false},
    });
    const {GROUP_JOIN, HEARTBEAT, FETCH, CRASH} = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({payload}) => {
      this.#consumer.pause([{topic}]);
      const now = Date.now();
      const partitions = payload.memberAssignment[topic] ?? [];
      this.#owned = new Map(partitions.map(partition => [partition, this.#owned.get(partition) ?? now]));
      this.#pauseMs = shortestPauseMs;
      onAssigned(partitions);
      // Whoever waits for a confirmation has it.
      this.#beat(2);
    });
    this.#consumer.on(HEARTBEAT, () => this.#beat(1));
    // When the group has dropped this member and joining fails, kafkajs goes on without being one, and sends no more heartbeats.
    this.#consumer.on(FETCH, () => {
      if (performance.now() - this.#heard > sessionTimeoutMs) this.#joinAnew();
    });
    this.#consumer.on(CRASH, ({payload: {error}}) => this.#fail(error));
  }

  async confirmed(): Promise<void> {
    // The first heartbeat that is answered may have been sent before.
    const enough = this.#beats + 2;
    while (this.#beats < enough) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>(resolve => this.#wake.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = true;
    clearTimeout(this.#rejoining);
    await untilAborted(this.#consumer.disconnect(), {signal: AbortSignal.timeout(leavingMs)}).catch(() => {});
    await abandonCluster(this.#cluster!);
    this.#failure ??= new Error('Cannot confirm a membership as it must not have ended: it has');
    this.#beat(2);
  }

  async #join(): Promise<void> {
    this.#heard = performance.now();
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({topic: this.#options.topic});
      // What fails from here on is an event.
      if (!this.#left) await this.#consumer.run({autoCommit: false, eachMessage: async () => {}});
      if (this.#left) await this.#consumer.disconnect();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#left) return;
    const failure = kafkaFailure(error, `be a member of group "${this.#options.group}"`);
    if (failure.retriable) {
      this.#joinAnew();
      return;
    }
    this.#failure = failure;
    this.#options.onFailed(failure);
    this.#beat(2);
  }

  /** Meanwhile work goes on: whose a partition is shows whenever something is written. */
  #joinAnew(): void {
    if (this.#left || this.#rejoining !== undefined) return;
    this.#rejoining = setTimeout(async () => {
      await this.#consumer.stop();
      this.#rejoining = undefined;
      if (!this.#left) await this.#join();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #beat(times: number): void {
    this.#heard = performance.now();
    this.#beats += times;
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }
}

/** Another assigner's members, or damaged claims, claim nothing. */
function memberClaim(member: string, metadata: Buffer): MemberClaim {
  try {
    const claim = JSON.parse(MemberMetadata.decode(metadata)!.userData.toString()) as Partial<Claim>;
    return {member, owned: new Map(claim.owned), stored: new Set(claim.stored)};
  } catch {
    return {member, owned: new Map(), stored: new Set()};
  }
}
