import {readFile} from 'node:fs/promises';
import type {Logger} from 'pino';
import {KafkajsClient, type KafkajsClientOptions} from '../../connectors/kafka/kafkajs-client.ts';
import type {Secret} from '../config/secret.ts';
import type {WorkerConfig} from './worker-fields.ts';

/**
 * Connects as a configuration says.
 *
 * @throws {TypeError} If a file that it names cannot be read.
 * @throws {PipelineError} As {@link KafkajsClient.open} does.
 */
export async function connectKafka(config: WorkerConfig, log: Logger): Promise<KafkajsClient> {
  const ssl = await tlsOptions(config);
  const sasl = saslOptions(config);
  return KafkajsClient.open({
    brokers: config['kafka.brokers'],
    clientId: config['kafka.clientId'],
    compression: config['kafka.compression'],
    ...(ssl !== undefined && {ssl}),
    ...(sasl !== undefined && {sasl}),
    // Most of them are in order, as at a rebalance; what matters is thrown.
    onWarning: message => log.debug({from: 'kafkajs'}, message),
  });
}

async function tlsOptions(config: WorkerConfig): Promise<KafkajsClientOptions['ssl']> {
  const {'kafka.tls.enabled': enabled, 'kafka.tls.passphrase': passphrase, 'kafka.tls.serverName': servername} = config;
  const files: {ca?: string; cert?: string; key?: string} = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = config[`kafka.tls.${name}`];
    if (path !== undefined) files[name] = await pem(`kafka.tls.${name}`, path);
  }
  const options = {
    ...files,
    ...(passphrase !== undefined && {passphrase: revealed('kafka.tls.passphrase', passphrase)}),
    ...(servername !== undefined && {servername}),
  };
  return Object.keys(options).length > 0 ? options : enabled ? true : undefined;
}

async function pem(field: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch(cause => {
    throw new TypeError(`Cannot connect to Kafka as ${field} must be a file that can be read: ${cause.message}`, {
      cause,
    });
  });
}

function saslOptions(config: WorkerConfig): KafkajsClientOptions['sasl'] {
  const mechanism = config['kafka.sasl.mechanism'];
  if (mechanism === undefined) return undefined;
  if (mechanism === 'oauthbearer') {
    const token = config['kafka.sasl.token']!;
    revealed('kafka.sasl.token', token);
    return {mechanism, oauthBearerProvider: async () => ({value: revealed('kafka.sasl.token', token)})};
  }
  const password = revealed('kafka.sasl.password', config['kafka.sasl.password']!);
  return {mechanism, username: config['kafka.sasl.username']!, password};
}

function revealed(field: string, secret: Secret): string {
  try {
    return secret.reveal();
  } catch (cause) {
    throw new TypeError(
      `Cannot connect to Kafka as ${field} must be a file that can be read: ${(cause as Error).message}`,
      {cause},
    );
  }
}
