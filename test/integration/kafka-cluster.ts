import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {promisify} from 'node:util';
import {kafkaLibraries} from './kafka-libraries.ts';

export type KafkaClusterOptions = {
  /** @default '4.3.1' */
  readonly version?: string;
  /** @default 1 */
  readonly nodes?: 1 | 3;
  /** Settings of the brokers on top of those below. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /**
   * Ports of proxies, one for each node. Clients that come through them are told of them alone; what a proxy is to forward to is in
   * {@link KafkaCluster.proxiedPorts}.
   */
  readonly proxyPorts?: readonly number[];
  /** Whether it pays that the JVM compiles what runs often as well as it can, for which it takes most of the time of a start. @default false */
  readonly longRunning?: boolean;
  /** Passwords of users for SCRAM, by name. */
  readonly scramUsers?: Readonly<Record<string, string>>;
};

type Node = {
  readonly folder: string;
  readonly clientPort: number;
  readonly proxiedPort: number;
  shell: ChildProcess | undefined;
  pid: number | undefined;
};

/** Ends with the broker, and kills it when this process ends, however it ends, because standard input ends then. */
const watch = `exec 3<&0; log=$1; shift
"$@" >"$log" 2>&1 3<&- & pid=$!; echo $pid
(cat <&3; kill -9 $pid) >/dev/null 2>&1 &
wait $pid`;

/** An Apache Kafka cluster in KRaft mode on this machine, each node broker and controller; gone when disposed of. */
export class KafkaCluster implements AsyncDisposable {
  readonly #libraries: string;
  readonly #folder: string;
  readonly #nodes: readonly Node[];
  readonly #longRunning: boolean;

  /** Starts a cluster and resolves when all its nodes are ready, after 3 to 10 seconds. */
  static async start({
    version = '4.3.1',
    nodes = 1,
    settings = {},
    proxyPorts,
    longRunning = false,
    scramUsers = {},
  }: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const libraries = await kafkaLibraries(version);
    const folder = await mkdtemp(join(tmpdir(), 'palimpsest-kafka-'));
    const ports = await freePorts(nodes * 4);
    const voters = Array.from({length: nodes}, (_, i) => `${i + 1}@127.0.0.1:${ports[i * 4 + 2]}`).join();
    const all = Array.from({length: nodes}, (_, i): Node => {
      const [clientPort, , , proxiedPort] = ports.slice(i * 4, i * 4 + 4) as [number, number, number, number];
      return {folder: join(folder, `node-${i + 1}`), clientPort, proxiedPort, shell: undefined, pid: undefined};
    });
    const cluster = new KafkaCluster({libraries, folder, nodes: all, longRunning});
    try {
      const id = 'palimpsestTestsAAAAAAA';
      for (const [i, node] of all.entries()) {
        await mkdir(node.folder);
        const [client, replication, controller, proxied] = ports.slice(i * 4, i * 4 + 4);
        const address = (name: string, port: number | undefined) => `${name}://127.0.0.1:${port}`;
        const own = [address('CLIENT', client), address('REPLICATION', replication)];
        const properties = {
          'process.roles': 'broker,controller',
          'node.id': i + 1,
          'controller.quorum.voters': voters,
          listeners: [...own, address('PROXIED', proxied), address('CONTROLLER', controller)].join(),
          'advertised.listeners': [...own, address('PROXIED', proxyPorts?.[i] ?? proxied)].join(),
          'listener.security.protocol.map':
            'CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
          'inter.broker.listener.name': 'REPLICATION',
          'controller.listener.names': 'CONTROLLER',
          'log.dirs': join(node.folder, 'data'),
          'auto.create.topics.enable': false,
          'group.initial.rebalance.delay.ms': 0,
          'group.min.session.timeout.ms': 1000,
          'offsets.topic.num.partitions': 4,
          'offsets.topic.replication.factor': nodes,
          'transaction.state.log.num.partitions': 4,
          'transaction.state.log.replication.factor': nodes,
          'transaction.state.log.min.isr': nodes === 1 ? 1 : 2,
          'share.coordinator.state.topic.replication.factor': nodes,
          'share.coordinator.state.topic.min.isr': nodes === 1 ? 1 : 2,
          'default.replication.factor': nodes,
          'min.insync.replicas': nodes === 1 ? 1 : 2,
          'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
          'log.cleaner.backoff.ms': 200,
          'broker.session.timeout.ms': 6000,
          'broker.heartbeat.interval.ms': 500,
          ...settings,
        };
        const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
        await writeFile(join(node.folder, 'server.properties'), lines.join('\n'));
        const format = ['format', '-t', id, '-c', join(node.folder, 'server.properties')];
        for (const [name, password] of Object.entries(scramUsers)) {
          for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
            format.push('--add-scram', `${mechanism}=[name=${name},password=${password}]`);
          }
        }
        await promisify(execFile)('java', [
          '-XX:TieredStopAtLevel=1',
          '-cp',
          `${libraries}/*`,
          'kafka.tools.StorageTool',
          ...format,
        ]);
      }
      await Promise.all(all.map((_, i) => cluster.start(i)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor({
    libraries,
    folder,
    nodes,
    longRunning,
  }: {
    libraries: string;
    folder: string;
    nodes: readonly Node[];
    longRunning: boolean;
  }) {
    this.#libraries = libraries;
    this.#folder = folder;
    this.#nodes = nodes;
    this.#longRunning = longRunning;
  }

  /** Ports that know of {@link KafkaClusterOptions.proxyPorts}. */
  get proxiedPorts(): number[] {
    return this.#nodes.map(({proxiedPort}) => proxiedPort);
  }

  /** Addresses of the brokers themselves. */
  get brokers(): string[] {
    return this.#nodes.map(({clientPort}) => `127.0.0.1:${clientPort}`);
  }

  /** Where a node keeps its partitions. */
  data(index: number): string {
    return join(this.#nodes[index]!.folder, 'data');
  }

  /** Starts a node that is not running, and resolves when it is ready. */
  async start(index: number): Promise<void> {
    const node = this.#nodes[index]!;
    const log = join(node.folder, `log-${Date.now()}`);
    const quick = this.#longRunning ? [] : ['-XX:TieredStopAtLevel=1'];
    const java = ['java', ...quick, '-Xmx384m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.logFile=System.out'];
    const server = ['-cp', `${this.#libraries}/*`, 'kafka.Kafka', join(node.folder, 'server.properties')];
    const shell = spawn('sh', ['-c', watch, 'sh', log, ...java, ...server], {stdio: ['pipe', 'pipe', 'ignore']});
    node.shell = shell;
    const [first] = (await once(shell.stdout!, 'data')) as [Buffer];
    node.pid = Number(first.toString());
    const deadline = Date.now() + 180_000;
    while (!(await readFile(log, 'utf8').catch(() => '')).includes('Kafka Server started')) {
      if (Date.now() > deadline || shell.exitCode !== null) {
        throw new Error(`Kafka did not start:\n${(await readFile(log, 'utf8')).split('\n').slice(-30).join('\n')}`);
      }
      await delay(100);
    }
  }

  /** Kills a node at once, as a power cut would. */
  async kill(index: number): Promise<void> {
    const node = this.#nodes[index]!;
    const {pid, shell} = node;
    if (pid === undefined || shell === undefined) return;
    const ended = shell.exitCode === null ? once(shell, 'exit') : undefined;
    if (ended !== undefined) process.kill(pid, 'SIGKILL');
    await ended;
    shell.stdin?.destroy();
    node.pid = undefined;
    node.shell = undefined;
  }

  /** Stops a node as if its machine hung, or lets it go on. */
  signal(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.#nodes[index]!.pid!, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((_, i) => this.kill(i)));
    await rm(this.#folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({length: count}, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => (server.address() as {port: number}).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
