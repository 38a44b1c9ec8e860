import {once} from 'node:events';
import {createServer, type Server, type Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import kafkajs from 'kafkajs';

/** Takes the place of a broker that cannot be reached: it never answers, or closes connections as soon as they are made. */
export class AwayBroker implements AsyncDisposable {
  /** Connections made so far. */
  connections = 0;
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  static async listen({silent}: {readonly silent: boolean}): Promise<AwayBroker> {
    const broker = new AwayBroker(silent);
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  private constructor(silent: boolean) {
    this.#server = createServer(socket => {
      this.connections++;
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
      socket.on('error', () => {});
      // So that it is noticed when the other side ends.
      socket.resume();
      if (!silent) socket.destroy();
    });
  }

  /** What a `KafkajsClient` makes of its options. */
  get kafka(): kafkajs.Kafka {
    const {port} = this.#server.address() as {port: number};
    return new kafkajs.Kafka({
      brokers: [`127.0.0.1:${port}`],
      connectionTimeout: 5000,
      retry: {initialRetryTime: 100, maxRetryTime: 2000, retries: 8},
      logLevel: kafkajs.logLevel.NOTHING,
    });
  }

  /** Waits until somebody has connected. */
  async met(): Promise<void> {
    while (this.connections === 0) await delay(5);
  }

  /** Whether for longer than kafkajs waits between two tries nobody is connected, nor connects. */
  async isLeftAlone(): Promise<boolean> {
    await delay(100);
    const before = this.connections;
    await delay(2500);
    return this.#open.size === 0 && this.connections === before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
