import {writeSync} from 'node:fs';
import {whileOpening} from '../../memory-store/lmdb/while-opening.ts';
import {WriterClaim} from '../../memory-store/lmdb/writer-claim.ts';
import {LmdbStore} from '../../memory-store/lmdb-store.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';

// A process of its own for the tests of LmdbStore: `node lmdb-writer.js hold|loop|fill|opening|transaction <path>`.
const [task, path] = process.argv.slice(2) as [string, string];

async function announced(): Promise<void> {
  writeSync(1, `${task}\n`);
  for await (const _ of process.stdin);
}

try {
  if (task === 'opening') {
    await whileOpening(path, announced);
    process.exit();
  } else if (task === 'transaction') {
    const claim = await WriterClaim.take(path);
    await claim.whileWriting(announced);
    claim.release();
    process.exit();
  }
  const store = await LmdbStore.open(path);
  if (task === 'hold') {
    writeSync(1, 'open\n');
    for await (const _ of process.stdin);
    await store[Symbol.asyncDispose]();
  } else if (task === 'loop') {
    const {partitions} = await store.progress();
    for (let n = Number(partitions.get('p')?.nextOffset ?? 0n) + 1; ; n++) {
      await store.commit(
        [
          ['small', sampleMemoryRecord(n)],
          ['large', sampleMemoryRecord(n, {bytes: 400_000})],
          [`turn ${n % 2}`, sampleMemoryRecord(n)],
          [`turn ${(n + 1) % 2}`, undefined],
        ],
        {
          partitions: new Map([['p', {nextOffset: BigInt(n), ended: n % 2 === 0}]]),
          outputs: new Map([['o', BigInt(n)]]),
        },
      );
      writeSync(1, `${n}\n`);
    }
  } else if (task === 'fill') {
    // Until a commit fails; then one that fits must succeed.
    let n = 0;
    try {
      for (;;) {
        const record = sampleMemoryRecord(n, {bytes: 2_000_000});
        await store.commit(
          [
            [`document ${n}`, record],
            [`twin ${n}`, record],
          ],
          {partitions: new Map([['p', {nextOffset: BigInt(n), ended: false}]]), outputs: new Map()},
        );
        n++;
      }
    } catch (error) {
      writeSync(1, `${JSON.stringify({commits: n, name: (error as Error).name, message: (error as Error).message})}\n`);
    }
    await store.commit(
      [
        ['document 0', undefined],
        ['twin 0', undefined],
      ],
      {partitions: new Map(), outputs: new Map()},
    );
    await store.commit([['afterwards', sampleMemoryRecord(1)]], {partitions: new Map(), outputs: new Map()});
    await store[Symbol.asyncDispose]();
    writeSync(1, 'closed\n');
  }
} catch (error) {
  writeSync(1, `${(error as Error).name}: ${(error as Error).message}\n`);
}
