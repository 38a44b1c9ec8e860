import test, {type ExecutionContext} from 'ava';
import type {KafkajsBroker, KafkajsCluster} from '../../../connectors/kafka/kafkajs-cluster.ts';
import {rememberCoordinators} from '../../../connectors/kafka/remember-coordinators.ts';

/** What kafkajs throws when it has asked as often as it was told to. */
const exceeded = Object.assign(new Error('connect ECONNREFUSED'), {name: 'KafkaJSNumberOfRetriesExceeded'});
const coordinator = {isConnected: () => true} as KafkajsBroker;

/** A cluster that knows a coordinator only after some searches of five seconds each, and cannot refresh what it knows. */
function clusterThatFinds(t: ExecutionContext, after: number) {
  let searches = 0;
  const {now} = performance;
  performance.now = () => searches * 5000;
  t.teardown(() => {
    performance.now = now;
  });
  const cluster = {
    async findGroupCoordinator() {
      if (++searches < after) throw exceeded;
      return coordinator;
    },
    async refreshMetadata() {
      throw new Error('connect ECONNREFUSED');
    },
  } as unknown as KafkajsCluster;
  return {cluster: rememberCoordinators(cluster), searches: () => searches};
}

test.serial(
  'A coordinator is looked for for a minute, also when the broker asked for metadata has gone as well',
  async t => {
    const {cluster, searches} = clusterThatFinds(t, 12);
    t.is(await cluster.findGroupCoordinator({groupId: 'a'}), coordinator);
    t.is(await cluster.findGroupCoordinator({groupId: 'a'}), coordinator);
    t.is(searches(), 12);
  },
);

test.serial('A coordinator is not looked for for ever', async t => {
  const {cluster, searches} = clusterThatFinds(t, 13);
  await t.throwsAsync(cluster.findGroupCoordinator({groupId: 'a'}), {is: exceeded});
  t.is(searches(), 12);
});
