import test from 'ava';
import {kafkaFailure} from '../../../connectors/kafka/kafka-failure.ts';
import {FencedError, SourceError} from '../../../errors.ts';

const failure = (fields: object, cause?: unknown) => Object.assign(new Error('said so', {cause}), fields);

test('kafkaFailure knows that another producer has taken over, however deep it is wrapped', t => {
  const fenced = failure({type: 'INVALID_PRODUCER_EPOCH'});
  t.true(kafkaFailure(fenced, 'write') instanceof FencedError);
  t.true(
    kafkaFailure(failure({name: 'KafkaJSNumberOfRetriesExceeded'}, failure({}, fenced)), 'write') instanceof
      FencedError,
  );
  t.true(kafkaFailure(failure({type: 'KAFKAJS_UNKNOWN_ERROR_CODE', code: 90}), 'write') instanceof FencedError);
});

test('kafkaFailure tells what may pass from what does not', t => {
  t.true(kafkaFailure(failure({type: 'NOT_LEADER_FOR_PARTITION'}), 'write').retriable);
  t.true(kafkaFailure(failure({code: 'ECONNREFUSED'}), 'write').retriable);
  t.false(kafkaFailure(failure({type: 'TOPIC_AUTHORIZATION_FAILED'}), 'write').retriable);
  t.false(kafkaFailure(failure({name: 'KafkaJSSASLAuthenticationError'}), 'write').retriable);
  t.regex(
    kafkaFailure(failure({type: 'MESSAGE_TOO_LARGE'}), 'write').message,
    /^Cannot write as .* said so; raise max\.message\.bytes/,
  );
});

test('kafkaFailure leaves the errors of this project alone', t => {
  const error = new SourceError('mine');
  t.is(kafkaFailure(error, 'read'), error);
});
