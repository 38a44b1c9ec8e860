import {FencedError, PipelineError} from '../../errors.ts';
import {abandoned} from './abandon-cluster.ts';

type KafkajsError = Error & {readonly type?: string; readonly cause?: unknown; readonly errors?: readonly unknown[]};

/** Errors by which a broker says that another producer has taken over. */
const fenced = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING']);
const fencedCode = 90;

/** Errors that trying again does not cure; everything else, unknown ones included, may pass. */
const lasting = new Set([
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SASL_AUTHENTICATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_TRANSACTION_TIMEOUT',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'POLICY_VIOLATION',
]);
const lastingNames = new Set(['KafkaJSSASLAuthenticationError', 'KafkaJSNotImplemented', abandoned]);

/** What to do about some of them. */
const advice: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: '; raise max.message.bytes of the topic',
  INVALID_TRANSACTION_TIMEOUT: "; it must not exceed the brokers' transaction.max.timeout.ms",
};

/**
 * A failure of kafkajs as one of the project's errors.
 *
 * @param action What was being done, as in "Cannot <action> as".
 */
export function kafkaFailure(error: unknown, action: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const causes = [...causesOf(error)];
  const types = causes.flatMap(({type}) => type ?? []);
  const {message} = causes.at(-1) ?? (error as Error);
  if (types.some(type => fenced.has(type)) || causes.some(cause => 'code' in cause && cause.code === fencedCode)) {
    return new FencedError(`Cannot ${action} as another worker has taken the partition over: ${message}`, {
      cause: error,
    });
  }
  const retriable = !types.some(type => lasting.has(type)) && !causes.some(({name}) => lastingNames.has(name));
  const hint = types.map(type => advice[type] ?? '').join('');
  return new PipelineError(`Cannot ${action} as Kafka refuses it or cannot be reached: ${message}${hint}`, {
    retriable,
    cause: error,
  });
}

function* causesOf(error: unknown): Generator<KafkajsError> {
  for (let cause = error; cause instanceof Error; cause = (cause as KafkajsError).cause) {
    yield cause as KafkajsError;
    for (const part of (cause as KafkajsError).errors ?? []) yield* causesOf(part);
  }
}
