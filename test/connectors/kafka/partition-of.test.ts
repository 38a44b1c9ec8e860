import test from 'ava';
import {partitionOf} from '../../../connectors/kafka/partition-of.ts';

test('partitionOf chooses as the clients of Java do', t => {
  // (murmur2(key) & 0x7fffffff) % 1000 with the hashes of UtilsTest.testMurmur2 in Apache Kafka.
  const hashes = {'21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107};
  for (const [key, hash] of Object.entries(hashes)) {
    t.is(partitionOf(key, {topic: 't', partitions: 1000}), (hash & 0x7fffffff) % 1000, key);
  }
});
