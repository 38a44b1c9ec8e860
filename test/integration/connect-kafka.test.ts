import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {connectKafka} from '../../cli/worker/connect-kafka.ts';
import {readWorkerConfig} from '../../cli/worker/read-worker-config.ts';
import {workerLog} from '../../cli/worker/worker-log.ts';
import {temporaryFolder} from '../memory-store/temporary-folder.ts';
import {KafkaCluster} from './kafka-cluster.ts';
import {newName} from './toy-topics.ts';

const password = 'correct horse';
const execute = promisify(execFile);
const {path: folder, remove} = await temporaryFolder();

async function openssl(...args: string[]): Promise<void> {
  await execute('openssl', args, {cwd: folder});
}

/** A certificate of an authority of ours, in PEM. */
async function certify(name: string, {alternative, passphrase}: {alternative?: string; passphrase?: string} = {}) {
  const locked = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
  const request = ['-newkey', 'rsa:2048', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`];
  await openssl('req', '-new', ...request, ...locked);
  await writeFile(join(folder, `${name}.ext`), alternative === undefined ? '' : `subjectAltName=${alternative}`);
  const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  await openssl('x509', '-req', ...signed, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

await openssl(
  'req',
  '-x509',
  '-newkey',
  'rsa:2048',
  '-nodes',
  '-subj',
  '/CN=authority',
  '-days',
  '2',
  '-keyout',
  'ca.key',
  '-out',
  'ca.pem',
);
await certify('broker', {alternative: 'IP:127.0.0.1'});
await certify('worker', {passphrase: 'open sesame'});
// Java reads certificates and keys of a broker from one file each.
await openssl(
  'pkcs12',
  '-export',
  '-in',
  'broker.pem',
  '-inkey',
  'broker.key',
  '-passout',
  'pass:changeit',
  '-out',
  'broker.p12',
);

/** An unsigned token, which brokers take that are set up for tests. */
function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(Date.now() / 1000);
  return `${part({alg: 'none'})}.${part({sub: 'worker', iat: seconds, exp: seconds + 600})}.`;
}
await writeFile(join(folder, 'token'), `${token()}\n`);
await writeFile(join(folder, 'password'), `${password}\n`);

const jaas = {
  plain: `org.apache.kafka.common.security.plain.PlainLoginModule required user_worker="${password}";`,
  scram: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  oauth:
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
};
const listener = 'listener.name.proxied';
const cluster = await KafkaCluster.start({
  scramUsers: {worker: password},
  settings: {
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT,PROXIED:SASL_SSL,CONTROLLER:PLAINTEXT',
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${listener}.plain.sasl.jaas.config`]: jaas.plain,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: jaas.scram,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: jaas.scram,
    [`${listener}.oauthbearer.sasl.jaas.config`]: jaas.oauth,
    [`${listener}.ssl.keystore.type`]: 'PKCS12',
    [`${listener}.ssl.keystore.location`]: join(folder, 'broker.p12'),
    [`${listener}.ssl.keystore.password`]: 'changeit',
    [`${listener}.ssl.key.password`]: 'changeit',
    [`${listener}.ssl.truststore.type`]: 'PEM',
    [`${listener}.ssl.truststore.location`]: join(folder, 'ca.pem'),
    [`${listener}.ssl.client.auth`]: 'required',
  },
});
test.after.always(async () => {
  await cluster[Symbol.asyncDispose]();
  await remove();
});

const tls = `
  tls:
    ca: ca.pem
    cert: worker.pem
    key: worker.key
    passphrase: {env: PASSPHRASE}`;

async function connect(security: string, environment: Record<string, string> = {}) {
  const path = join(folder, `${newName()}.yaml`);
  await writeFile(
    path,
    `
application: app
input: {topic: in}
output: {topic: out}
model: {folder: model}
kafka:
  brokers: [127.0.0.1:${cluster.proxiedPorts[0]}]${security}
`,
  );
  const {values} = await readWorkerConfig(path, {environment: {PASSPHRASE: 'open sesame', ...environment}});
  const logged: string[] = [];
  const log = workerLog({level: 'trace', format: 'json', stream: {write: line => logged.push(line)}});
  return {logged, client: connectKafka(values, log)};
}

const passwordFile = `
  sasl: {mechanism: MECHANISM, username: worker, password: {file: password}}`;

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  test.serial(
    `connectKafka authenticates with ${mechanism} over TLS, reads and writes, and logs no password`,
    async t => {
      const {client, logged} = await connect(tls + passwordFile.replace('MECHANISM', mechanism));
      await using kafka = await client;
      const topic = newName();
      await kafka.createTopic(topic, {partitions: 1});
      await using producer = await kafka.openProducer(topic, {topics: [topic], transactionTimeoutMs: 10_000});
      await producer.send(topic, 0, [{key: 'a', value: Buffer.from('b')}]);
      await producer.commit();
      await using reader = await kafka.openReader(topic, 0);
      const {messages} = await reader.fetch(0n, {maxBytes: 1000, maxWaitMs: 5000});
      t.is(String(messages[0]?.value), 'b');
      const member = await kafka.join({
        group: topic,
        topic,
        sessionTimeoutMs: 10_000,
        stored: () => [],
        onAssigned: () => {},
        onFailed: error => t.fail(error.message),
      });
      await member[Symbol.asyncDispose]();
      t.false(logged.some(line => line.includes(password)));
    },
  );

  test.serial(`connectKafka says that ${mechanism} refuses a wrong password, without showing it`, async t => {
    const environment = {PALIMPSEST_KAFKA_SASL_PASSWORD: 'battery staple'};
    const {client, logged} = await connect(tls + passwordFile.replace('MECHANISM', mechanism), environment);
    const error = await t.throwsAsync(client, {message: /Cannot connect to 127\.0\.0\.1:\d+ as Kafka refuses it/});
    t.false([error.message, ...logged].some(line => line.includes('battery staple')));
  });
}

test.serial('connectKafka authenticates with a bearer token from a file', async t => {
  const {client} = await connect(`${tls}
  sasl: {mechanism: oauthbearer, token: {file: token}}`);
  await using kafka = await client;
  t.is(await kafka.partitionCount('none'), undefined);
});

test.serial(
  'connectKafka says that a broker is not trusted whose certificate no authority of the configuration has signed',
  async t => {
    const {client} = await connect(`
  tls: {enabled: true}${passwordFile.replace('MECHANISM', 'plain')}`);
    await t.throwsAsync(client, {message: /certificate/});
  },
);

test.serial('connectKafka says which file cannot be read', async t => {
  const wrongKey = await connect(tls.replace('worker.key', 'none.key'));
  await t.throwsAsync(wrongKey.client, {
    instanceOf: TypeError,
    message: /kafka.tls.key must be a file that can be read: ENOENT/,
  });
  const wrongToken = await connect(`
  sasl: {mechanism: oauthbearer, token: {file: none}}`);
  await t.throwsAsync(wrongToken.client, {
    instanceOf: TypeError,
    message: /kafka.sasl.token must be a file that can be read: ENOENT/,
  });
});
