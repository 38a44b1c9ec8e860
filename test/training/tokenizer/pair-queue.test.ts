import test from 'ava';
import {PairQueue, type QueuedPair} from '../../../training/tokenizer/pair-queue.ts';
import {seededRandom} from '../../operators/seeded-random.ts';

test('PairQueue gives the most frequent pair first, and of equals the one of the lower number', t => {
  const random = seededRandom(3);
  const queue = new PairQueue();
  const held: QueuedPair[] = [];
  for (let i = 0; i < 3000; i++) {
    if (random() < 0.6) {
      const entry = {pair: Math.floor(random() * 1000), count: Math.floor(random() * 20)};
      queue.push(entry);
      held.push(entry);
    } else {
      held.sort((a, b) => b.count - a.count || a.pair - b.pair);
      t.deepEqual(queue.pop(), held.shift());
    }
  }
});
