import {createRequire} from 'node:module';

/** That what the connector uses behind the public interface of kafkajs is not there. */
export function kafkajsVersionError(cause?: unknown): Error {
  const {version} = createRequire(import.meta.url)('kafkajs/package.json') as {version: string};
  return new Error(
    `Cannot speak to Kafka as kafkajs must be of version 2.2.4: current version is ${version}; install kafkajs 2.2.4`,
    {cause},
  );
}
