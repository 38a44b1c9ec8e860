import {once} from 'node:events';
import {connect, createServer, type Server, type Socket} from 'node:net';

/** Numbers of the requests that faults are made for. */
export const apiKeys = {Produce: 0, Fetch: 1, FindCoordinator: 10, JoinGroup: 11, Heartbeat: 12, EndTxn: 26} as const;

export type ProxyFault = {
  readonly api: keyof typeof apiKeys;
  /**
   * `lose-request`: the broker never sees it; `lose-reply`: the broker does it, and the connection breaks before it says so;
   * `hold-request`: it waits until {@link FaultProxy.release}; a number: the reply comes so many milliseconds late.
   */
  readonly kind: 'lose-request' | 'lose-reply' | 'hold-request' | number;
};

/** Stands between clients and one broker, and makes chosen requests go wrong, once for each time it is asked to. */
export class FaultProxy implements AsyncDisposable {
  /** Where the broker is. */
  target = 0;
  /** Faults that have not happened yet. */
  readonly pending: ProxyFault[] = [];
  /** Faults that have. */
  readonly met: ProxyFault[] = [];
  /** Requests of this kind all wait until {@link release}. */
  holding: ProxyFault['api'] | undefined;
  #held: (() => void)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async listen(): Promise<FaultProxy> {
    const proxy = new FaultProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor() {
    this.#server = createServer(client => this.#serve(client));
  }

  get port(): number {
    return (this.#server.address() as {port: number}).port;
  }

  /** Lets requests go on that were held. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const broker = connect(this.target, '127.0.0.1');
    const ids = new Map<number, ProxyFault>();
    // A connection answers in order, so what comes behind a request that is held waits too.
    let waiting: Buffer[] | undefined;
    const hold = (frame: Buffer) => {
      waiting = [frame];
      this.#held.push(() => {
        for (const held of waiting!) broker.write(held);
        waiting = undefined;
      });
    };
    const end = () => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    eachFrame(client, frame => {
      const api = frame.readInt16BE(4);
      if (waiting !== undefined) return void waiting.push(frame);
      if (this.holding !== undefined && apiKeys[this.holding] === api) return hold(frame);
      const index = this.pending.findIndex(fault => apiKeys[fault.api] === api);
      if (index !== -1) {
        const [fault] = this.pending.splice(index, 1);
        this.met.push(fault!);
        if (fault!.kind === 'lose-request') return end();
        if (fault!.kind === 'hold-request') return hold(frame);
        ids.set(frame.readInt32BE(8), fault!);
      }
      broker.write(frame);
    });
    eachFrame(broker, frame => {
      const kind = ids.get(frame.readInt32BE(4))?.kind;
      if (kind === 'lose-reply') end();
      else if (typeof kind === 'number') setTimeout(() => client.writable && client.write(frame), kind);
      else client.write(frame);
    });
  }
}

/** Frames of Kafka's protocol, with the four bytes that say how long they are. */
function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let parts: Buffer[] = [];
  let length = 0;
  socket.on('data', data => {
    parts.push(data);
    length += data.length;
    while (length >= 4) {
      if (parts[0]!.length < 4) parts = [Buffer.concat(parts)];
      const size = parts[0]!.readInt32BE(0) + 4;
      if (length < size) return;
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      take(all.subarray(0, size));
      parts = [all.subarray(size)];
      length -= size;
    }
  });
}
