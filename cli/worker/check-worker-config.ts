import type {WorkerConfig} from './worker-fields.ts';

/** Reports what fields mean for one another. */
export function checkWorkerConfig(
  config: WorkerConfig,
  report: (field: keyof WorkerConfig, problem: string) => void,
): void {
  const topics = new Map<string, string>();
  for (const field of ['input.topic', 'output.topic', 'deadLetters.topic'] as const) {
    const topic = config[field];
    if (topic === undefined) continue;
    const other = topics.get(topic);
    if (other !== undefined) report(field, `must be another topic than ${other}: both are "${topic}"`);
    topics.set(topic, field);
  }
  if (config['input.undecodable'] === 'dead-letter' && config['deadLetters.topic'] === undefined) {
    report('input.undecodable', 'needs "deadLetters.topic": it is missing');
  }
  if (config['input.format'] === 'raw') {
    for (const field of ['input.textField', 'input.idField'] as const) {
      if (config[field] !== undefined) report(field, 'needs "input.format" json or msgpack: it is raw');
    }
  }
  const mechanism = config['kafka.sasl.mechanism'];
  const needed =
    mechanism === undefined
      ? []
      : mechanism === 'oauthbearer'
        ? (['kafka.sasl.token'] as const)
        : (['kafka.sasl.username', 'kafka.sasl.password'] as const);
  for (const field of needed) {
    if (config[field] === undefined) report('kafka.sasl.mechanism', `${mechanism} needs "${field}": it is missing`);
  }
  for (const field of ['kafka.sasl.username', 'kafka.sasl.password', 'kafka.sasl.token'] as const) {
    if (config[field] !== undefined && !needed.some(name => name === field)) {
      report(field, `needs another "kafka.sasl.mechanism": it is ${mechanism ?? 'missing'}`);
    }
  }
  const {'kafka.tls.cert': cert, 'kafka.tls.key': key} = config;
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = key === undefined ? (['cert', 'key'] as const) : (['key', 'cert'] as const);
    report(`kafka.tls.${given}`, `needs "kafka.tls.${missing}": it is missing`);
  }
}
