import test from 'ava';
import {dealPartitions, type MemberClaim} from '../../../connectors/kafka/deal-partitions.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

function claim(member: string, owned: readonly number[] = [], {stored = owned, since = 1} = {}): MemberClaim {
  return {member, owned: new Map(owned.map(partition => [partition, since])), stored: new Set(stored)};
}

const dealt = (partitions: number, ...claims: MemberClaim[]) => Object.fromEntries(dealPartitions(partitions, claims));

test('dealPartitions gives everything to one member', t => {
  t.deepEqual(dealt(3, claim('a')), {a: [0, 1, 2]});
});

test('dealPartitions leaves partitions where they are when it comes out even', t => {
  t.deepEqual(dealt(4, claim('a', [1, 2]), claim('b', [0, 3])), {a: [1, 2], b: [0, 3]});
});

test('dealPartitions moves no more than a new member is due', t => {
  const after = dealPartitions(9, [claim('a', [0, 1, 2, 3]), claim('b', [4, 5, 6, 7, 8]), claim('c')]);
  t.is(after.get('c')!.length, 3);
  t.true(after.get('a')!.every(partition => partition < 4));
  t.true(after.get('b')!.every(partition => partition >= 4));
});

test('dealPartitions gives a member that comes back what it has stored', t => {
  const after = dealt(6, claim('a', [0, 1, 2, 3, 4, 5]), claim('b', [], {stored: [1, 3, 5]}));
  t.deepEqual(after, {a: [0, 2, 4], b: [1, 3, 5]});
});

test('dealPartitions gives what two members claim to the one that has it since later', t => {
  const zombie = claim('a', [0, 1], {since: 1});
  const heir = claim('b', [0, 1], {since: 2});
  t.deepEqual(dealt(4, zombie, heir), {a: [2, 3], b: [0, 1]});
});

test('dealPartitions deals every partition once and evenly, whatever members claim', t => {
  const random = seededRandom(1);
  for (let round = 0; round < 500; round++) {
    const partitions = 1 + Math.floor(random() * 20);
    const some = () => Array.from({length: partitions}, (_, p) => p).filter(() => random() < 0.4);
    const claims = Array.from({length: 1 + Math.floor(random() * 5)}, (_, i) =>
      claim(`m${i}`, some(), {stored: some(), since: i}),
    );
    const after = [...dealPartitions(partitions, claims).values()];
    t.deepEqual(
      after.flat().sort((a, b) => a - b),
      Array.from({length: partitions}, (_, p) => p),
    );
    const sizes = after.map(({length}) => length);
    t.true(Math.max(...sizes) - Math.min(...sizes) <= 1, JSON.stringify(sizes));
  }
});
