import test from 'ava';
import {checkBrokerVersions} from '../../../connectors/kafka/check-broker-versions.ts';
import {PipelineError} from '../../../errors.ts';

const apis = [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 19, 22, 24, 25, 26, 28];
/** What Kafka 4.3 says of Produce is 0 to 13, with 3 to 13 it means. */
const broker = (changed: Record<number, {minVersion: number; maxVersion: number} | undefined> = {}) =>
  ({...Object.fromEntries(apis.map(api => [api, {minVersion: 0, maxVersion: 12}])), ...changed}) as Parameters<
    typeof checkBrokerVersions
  >[0];

test('checkBrokerVersions accepts a broker that has a version of every request in common', t => {
  t.notThrows(() => checkBrokerVersions(broker({0: {minVersion: 7, maxVersion: 13}})));
});

test('checkBrokerVersions refuses a broker that is too new, in plain words', t => {
  t.throws(() => checkBrokerVersions(broker({0: {minVersion: 8, maxVersion: 15}})), {
    instanceOf: PipelineError,
    message: /must understand version 7 of Produce: it understands only 8 to 15; it is newer/,
  });
});

test('checkBrokerVersions refuses a broker without transactions', t => {
  t.throws(() => checkBrokerVersions(broker({22: undefined})), {
    message: /version 0 of InitProducerId: it understands none; upgrade/,
  });
  t.throws(() => checkBrokerVersions(broker({1: {minVersion: 0, maxVersion: 10}})), {
    message: /version 11 of Fetch.*up to 10/,
  });
});
