import test from 'ava';
import type {KafkajsBroker, KafkajsCluster} from '../../../connectors/kafka/kafkajs-cluster.ts';
import {rememberCoordinators} from '../../../connectors/kafka/remember-coordinators.ts';

/** What kafkajs throws when it has asked as often as it was told to. */
const exceeded = Object.assign(new Error('connect ECONNREFUSED'), {name: 'KafkaJSNumberOfRetriesExceeded'});
const coordinator = {isConnected: () => true} as KafkajsBroker;

/** A cluster that knows a coordinator only after some searches, and cannot refresh what it knows. */
function clusterThatFinds(after: number) {
  let searches = 0;
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

test('A coordinator is looked for on when the broker asked for metadata has gone as well', async t => {
  const {cluster, searches} = clusterThatFinds(4);
  t.is(await cluster.findGroupCoordinator({groupId: 'a'}), coordinator);
  t.is(await cluster.findGroupCoordinator({groupId: 'a'}), coordinator);
  t.is(searches(), 4);
});

test('A coordinator is not looked for for ever', async t => {
  const {cluster, searches} = clusterThatFinds(9);
  await t.throwsAsync(cluster.findGroupCoordinator({groupId: 'a'}), {is: exceeded});
  t.is(searches(), 4);
});
