import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {PipelineError} from '../../errors.ts';

export type ServeHttpOptions = {
  readonly host: string;
  /** 0 takes one that is free. */
  readonly port: number;
  /** Metrics in the text format of Prometheus. */
  readonly registry: {readonly contentType: string; metrics(): Promise<string>};
  readonly health: {readonly ready: boolean};
};

/**
 * Serves `/metrics`, `/livez` (the process answers) and `/readyz` (it reads all its partitions).
 *
 * @throws {PipelineError} If the address cannot be listened at.
 */
export async function serveHttp({
  host,
  port,
  registry,
  health,
}: ServeHttpOptions): Promise<AsyncDisposable & {readonly url: string}> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, {'content-type': type}).end(request.method === 'HEAD' ? undefined : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'text/plain', 'GET or HEAD\n');
    switch (request.url?.split('?')[0]) {
      case '/metrics':
        try {
          return answer(200, registry.contentType, await registry.metrics());
        } catch (error) {
          return answer(500, 'text/plain', `${(error as Error).message}\n`);
        }
      case '/livez':
        return answer(200, 'text/plain', 'ok\n');
      case '/readyz':
        return answer(health.ready ? 200 : 503, 'application/json', `${JSON.stringify(health)}\n`);
      default:
        return answer(404, 'text/plain', '/metrics, /livez or /readyz\n');
    }
  });
  const listening = once(server, 'listening');
  server.listen({host, port});
  await listening.catch(cause => {
    throw new PipelineError(
      `Cannot serve metrics as port ${port} of ${host} must be free: ${cause.message}; set http.port, or http.enabled to false`,
      {cause},
    );
  });
  const {address, port: taken, family} = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
