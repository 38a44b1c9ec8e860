import {compressionNames} from '../../connectors/kafka/compression.ts';
import {memoryDtypes} from '../../memory-store/memory-dtype.ts';
import {engineNames} from '../../model/engine/engine.ts';
import {resultFormats} from '../../operators/encode-message-stream.ts';
import {messageFormats} from '../../operators/message-decoder.ts';
import type {Fields, FieldValues} from '../config/field.ts';
import {fieldKinds} from '../config/field-kinds.ts';
import {mostThreads} from '../most-threads.ts';

const {text, flag, matching, choice, wholeNumber, duration, timeout, bytes, list, path, secret} = fieldKinds;

const topicName = matching(/^[\w.-]{1,200}$/, '1 to 200 letters, digits, ".", "_" and "-"');

/** All fields of a worker's configuration. docs/run.md lists them; a test compares. */
export const workerFields = {
  application: {
    kind: topicName,
    required: true,
    about: 'what workers share: names their group, transactional ids and changelog',
  },

  'kafka.brokers': {kind: list, required: true, about: 'addresses to begin with, as host:port'},
  'kafka.clientId': {kind: text, default: 'palimpsest', about: "how the brokers' logs call the worker"},
  'kafka.compression': {kind: choice(...compressionNames), default: 'none', about: 'how what is written is compressed'},
  'kafka.tls.enabled': {kind: flag, default: false, about: 'speak TLS; so does any other field of this section'},
  'kafka.tls.ca': {kind: path, about: "certificates to trust, in PEM; without it, the system's"},
  'kafka.tls.cert': {kind: path, about: 'certificate of the worker, in PEM'},
  'kafka.tls.key': {kind: path, about: 'its key, in PEM'},
  'kafka.tls.passphrase': {kind: secret, about: 'what the key is encrypted with'},
  'kafka.tls.serverName': {kind: text, about: 'name that the certificates of brokers must be for, if not their own'},
  'kafka.sasl.mechanism': {
    kind: choice('plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'),
    about: 'how to authenticate',
  },
  'kafka.sasl.username': {kind: text, about: 'for plain and SCRAM'},
  'kafka.sasl.password': {kind: secret, about: 'for plain and SCRAM'},
  'kafka.sasl.token': {kind: secret, about: 'for oauthbearer; a file is read again at each authentication'},

  'input.topic': {kind: topicName, required: true, about: 'topic to read; keys of its messages name documents'},
  'input.startAt': {
    kind: choice('earliest', 'latest'),
    default: 'earliest',
    about: 'where to begin with a partition that was never read',
  },
  'input.format': {kind: choice(...messageFormats), default: 'raw', about: 'what values of messages are'},
  'input.textField': {kind: text, about: 'json, msgpack: path of the text (default "text")'},
  'input.idField': {kind: text, about: 'json, msgpack: path of the document id, instead of the key'},
  'input.undecodable': {
    kind: choice('fail', 'skip', 'dead-letter'),
    default: 'fail',
    about: 'what becomes of messages that cannot be decoded: end the run, pass over, or write to deadLetters.topic',
  },
  'input.strict': {
    kind: flag,
    default: false,
    about: 'end the run at ill-formed UTF-8 instead of reading it as U+FFFD',
  },

  'output.topic': {kind: topicName, required: true, about: 'topic for results'},
  'output.format': {kind: choice(...resultFormats), default: 'json', about: 'what values of results are'},
  'output.cloudEventsSource': {kind: text, about: 'URI; results then are CloudEvents in binary mode with this source'},

  'deadLetters.topic': {kind: topicName, about: 'topic for messages that cannot be decoded'},

  'model.folder': {kind: path, required: true, about: 'folder of the model'},
  'model.engine': {kind: choice('auto', ...engineNames), default: 'auto', about: 'tensor engine'},
  'model.threads': {kind: wholeNumber({most: mostThreads}), about: 'threads of the native engine (default: all)'},
  'model.precision': {
    kind: choice('float32', 'bfloat16', 'auto'),
    default: 'float32',
    about: 'how matrix products multiply',
  },
  'model.compile': {kind: flag, default: true, about: 'compile steps where the engine can'},

  'reading.every': {
    kind: choice('segment', 'document'),
    default: 'segment',
    about: 'a result for each segment and document, or for documents alone',
  },
  'reading.batch': {kind: wholeNumber(), default: 16, about: 'documents of a partition read in one step'},
  'reading.maxWait': {kind: duration, default: '200ms', about: 'how long a segment may wait for its batch to fill'},
  'reading.bufferedSegments': {
    kind: wholeNumber(),
    default: 256,
    about: 'segments of a partition that may wait; checkpoints and stopping wait for them',
  },
  'reading.idle': {
    kind: duration,
    about: 'after how long a document is quiet, and what of it fills no segment is emitted',
  },
  'reading.expireAfter': {
    kind: duration,
    about: 'after how long without a record, in event time, a document begins anew',
  },
  'reading.openMemory': {
    kind: bytes,
    default: '1GiB',
    about: 'memories held open in the engine, over all partitions; the rest are in the store',
  },

  'store.folder': {
    kind: path,
    default: '.palimpsest/memories',
    about: 'where memories are kept beside the changelog; of this worker alone',
  },
  'store.persistent': {
    kind: flag,
    default: true,
    about: 'false keeps memories in the process, and restores all of them at each start',
  },
  'store.dtype': {kind: choice(...memoryDtypes), default: 'float32', about: 'how memories are stored'},

  'delivery.guarantee': {
    kind: choice('exactly-once', 'at-least-once'),
    default: 'exactly-once',
    about: 'at-least-once shows results at once, and some again after a failure',
  },
  'delivery.checkpointEvery': {
    kind: duration,
    default: '5s',
    about: 'longest time between two checkpoints of a partition; results are seen that late',
  },
  'delivery.checkpointBytes': {kind: bytes, default: '64MiB', about: 'input after which a checkpoint comes earlier'},
  'delivery.transactionTimeout': {
    kind: timeout,
    default: '10m',
    about: 'after how long brokers drop a checkpoint that does not come to its end; they allow 15m',
  },
  'delivery.sessionTimeout': {
    kind: timeout,
    default: '30s',
    about: 'how long a worker may be silent before others get its partitions',
  },

  'limits.fetchBytes': {kind: bytes, default: '1MiB', about: 'read of a partition at once; twice as much is held'},
  'limits.heldBytes': {
    kind: bytes,
    default: '64MiB',
    about: 'held of all partitions; fetching pauses there',
  },

  'stop.deadline': {
    kind: timeout,
    default: '30s',
    about: 'how long stopping may take; then what is not committed is left to the next worker',
  },

  'http.enabled': {kind: flag, default: true, about: 'serve /metrics, /livez and /readyz'},
  'http.host': {kind: text, default: '127.0.0.1', about: 'address to listen at; 0.0.0.0 for all'},
  'http.port': {kind: wholeNumber({least: 0, most: 65_535}), default: 9464, about: 'port; 0 takes one that is free'},

  'log.level': {
    kind: choice('trace', 'debug', 'info', 'warn', 'error'),
    default: 'info',
    about: 'what is logged, on standard error',
  },
  'log.format': {
    kind: choice('auto', 'json', 'text'),
    default: 'auto',
    about: 'auto: text on a terminal, JSON elsewhere',
  },
} as const satisfies Fields;

/** A worker's configuration by dotted names. */
export type WorkerConfig = FieldValues<typeof workerFields>;
