import {type ChildProcessByStdio, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, open as openFile, readdir, readFile, stat, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import type {Readable, Writable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {open as openLmdb} from 'lmdb';
import {CorruptMemoryError, MemoryMismatchError, StoreError} from '../../errors.ts';
import {LmdbStore, type LmdbStoreOptions} from '../../memory-store/lmdb-store.ts';
import type {MemoryChange} from '../../memory-store/memory-store.ts';
import {sealValue} from '../../memory-store/sealed-value.ts';
import type {Progress} from '../../pipeline/progress.ts';
import {testMemoryStore} from '../conformance/memory-store.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';
import {checkSize} from './store-size.ts';
import {temporaryFolder} from './temporary-folder.ts';

const writerProgram = fileURLToPath(new URL('./lmdb-writer.js', import.meta.url));
const nothing = {partitions: new Map(), outputs: new Map()};
const binary = {encoding: 'binary', keyEncoding: 'binary'} as const;

/** The environment of a store, past the store. */
function openAside(path: string) {
  return openLmdb(path, {...binary, noSubdir: false, overlappingSync: false, maxDbs: 8});
}

async function folderOf(t: ExecutionContext): Promise<string> {
  const {path, remove} = await temporaryFolder();
  t.teardown(remove);
  return path;
}

async function withStore(
  path: string,
  body: (store: LmdbStore) => Promise<unknown>,
  options?: LmdbStoreOptions,
): Promise<void> {
  const store = await LmdbStore.open(path, options);
  try {
    await body(store);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

type Writer = {child: ChildProcessByStdio<Writable, Readable, null>; line(): Promise<string | undefined>};

function startWriter(task: string, path: string): Writer {
  const child = spawn(process.execPath, [writerProgram, task, path], {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  return {
    child,
    async line() {
      const {value, done} = await lines.next();
      return done ? undefined : value;
    },
  };
}

async function stop({child}: Writer, signal?: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  if (signal === undefined) child.stdin.end();
  else child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await exited;
}

testMemoryStore(
  test,
  async () => {
    const {path, remove} = await temporaryFolder();
    return {open: () => LmdbStore.open(path), remove};
  },
  {name: 'LmdbStore'},
);

test('LmdbStore with float16 gives back rounded tensors and reads what float32 wrote', async t => {
  const path = await folderOf(t);
  const record = sampleMemoryRecord(3);
  await withStore(path, store => store.commit([['exact', record]], nothing));
  await withStore(
    path,
    async store => {
      await store.commit([['rounded', record]], nothing);
      t.deepEqual(await store.get('exact'), record);
      const rounded = (await store.get('rounded'))!.memory.tensors.memory!.data;
      t.notDeepEqual(rounded, record.memory.tensors.memory!.data);
      t.true(rounded.every((value, i) => Math.abs(value - record.memory.tensors.memory!.data[i]!) < 0.05));
    },
    {dtype: 'float16'},
  );
});

test('LmdbStore tells how much it holds', async t => {
  const path = await folderOf(t);
  await withStore(path, store => checkSize(t, store));
});

test('LmdbStore refuses options that mean nothing', async t => {
  const path = await folderOf(t);
  for (const maxBytes of [0, -1, Number.NaN])
    await t.throwsAsync(LmdbStore.open(path, {maxBytes}), {instanceOf: RangeError});
  await t.throwsAsync(LmdbStore.open(path, {dtype: 'int8' as 'float16'}), {instanceOf: RangeError});
});

test('LmdbStore refuses an empty path', async t => {
  await t.throwsAsync(LmdbStore.open(''), {instanceOf: StoreError, message: /its folder must not be empty/});
});

test('LmdbStore makes the folder, whatever its name', async t => {
  const path = join(await folderOf(t), 'a/b/memories.v1');
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  t.true((await stat(path)).isDirectory());
});

test('LmdbStore refuses a model other than the one that wrote', async t => {
  const path = await folderOf(t);
  const {fingerprint} = sampleMemoryRecord(1);
  await withStore(path, async () => {}, {fingerprint: 'sha256:never wrote'});
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing), {fingerprint});
  await withStore(path, async () => {}, {fingerprint});
  await withStore(path, async () => {});
  const error = await t.throwsAsync(LmdbStore.open(path, {fingerprint: 'sha256:other'}), {
    instanceOf: MemoryMismatchError,
  });
  t.true(error.message.includes(fingerprint) && error.message.includes('sha256:other'), error.message);
  t.regex(error.message, /use the model that wrote them, or a new folder and replay the input/);
  await withStore(
    path,
    async store => {
      await t.throwsAsync(store.commit([['b', sampleMemoryRecord(2)]], nothing), {instanceOf: MemoryMismatchError});
      t.is(await store.get('b'), undefined);
    },
    {fingerprint},
  );
});

test('LmdbStore refuses a store and a record of a newer format', async t => {
  const path = await folderOf(t);
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  const environment = openAside(path);
  const meta = environment.openDB({...binary, name: 'palimpsest'});
  await meta.put(Buffer.from('format'), sealValue(2));
  await environment.close();
  for (const readOnly of [false, true]) {
    const error = await t.throwsAsync(LmdbStore.open(path, {readOnly}), {instanceOf: StoreError});
    t.regex(error.message, /its format must be at most 1: current format is 2; upgrade Palimpsest/);
  }
});

test('LmdbStore refuses the folder of another LMDB program', async t => {
  const path = await folderOf(t);
  const environment = openLmdb(path, {noSubdir: false});
  await environment.put('theirs', 1);
  await environment.close();
  for (const readOnly of [false, true]) {
    await t.throwsAsync(LmdbStore.open(path, {readOnly}), {
      instanceOf: StoreError,
      message: /holds another LMDB environment/,
    });
  }
});

// One writer

test('LmdbStore refuses a second writer in the same process', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    await t.throwsAsync(LmdbStore.open(path), {
      instanceOf: StoreError,
      message: new RegExp(
        `only one process may write: this process \\(${process.pid}\\) does; close it there first, or open with readOnly`,
      ),
    });
    await store.commit([['a', sampleMemoryRecord(1)]], nothing);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
  });
  await withStore(path, async store => t.deepEqual(await store.get('a'), sampleMemoryRecord(1)));
});

test('LmdbStore refuses a second writer in another process and takes over from a killed one', async t => {
  const path = await folderOf(t);
  const writer = startWriter('hold', path);
  t.is(await writer.line(), 'open');
  await t.throwsAsync(LmdbStore.open(path), {
    instanceOf: StoreError,
    message: new RegExp(`only one process may write: process ${writer.child.pid} does`),
  });
  await stop(writer, 'SIGKILL');
  await withStore(path, async () => {
    const late = startWriter('hold', path);
    t.regex((await late.line()) ?? '', new RegExp(`^StoreError: .* process ${process.pid} does`));
    await stop(late);
  });
  const last = startWriter('hold', path);
  t.is(await last.line(), 'open');
  await stop(last);
});

test('LmdbStore lets one of many writers in when all take over from a killed one', async t => {
  const path = await folderOf(t);
  for (let round = 0; round < 3; round++) {
    const killed = startWriter('hold', path);
    t.is(await killed.line(), 'open');
    await stop(killed, 'SIGKILL');
    const starters = Array.from({length: 4}, () => startWriter('hold', path));
    const lines = await Promise.all(starters.map(starter => starter.line()));
    const winners = starters.filter((_, i) => lines[i] === 'open');
    t.is(winners.length, 1, lines.join('\n'));
    const losers = lines.filter(line => line !== 'open');
    t.true(
      losers.every(line => line?.includes(`process ${winners[0]!.child.pid} does`)),
      lines.join('\n'),
    );
    await Promise.all(starters.map(starter => stop(starter)));
  }
});

test('LmdbStore takes over from a dead process whose number another process got', async t => {
  const path = await folderOf(t);
  await writeFile(join(path, `writer-${process.ppid}-an earlier boot.123-0123456789ab`), '');
  if (process.platform === 'linux') await withStore(path, async () => t.pass());
  else await t.throwsAsync(LmdbStore.open(path), {instanceOf: StoreError});
});

test('LmdbStore lets others open before it writes a transaction', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    const opening = startWriter('opening', path);
    t.is(await opening.line(), 'opening');
    const committed = store.commit([['a', sampleMemoryRecord(1)]], nothing).then(() => 'committed');
    t.is(await Promise.race([committed, delay(300, 'waits')]), 'waits');
    await stop(opening, 'SIGKILL');
    t.is(await committed, 'committed');
  });
  t.deepEqual((await readdir(path)).sort(), ['data.mdb', 'lock.mdb']);
});

test('LmdbStore opened for reading waits for a transaction under way', async t => {
  const path = await folderOf(t);
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  for (const signal of [undefined, 'SIGKILL'] as const) {
    const transaction = startWriter('transaction', path);
    t.is(await transaction.line(), 'transaction');
    const opened = LmdbStore.open(path, {readOnly: true});
    t.is(await Promise.race([opened, delay(300, 'waits')]), 'waits');
    await stop(transaction, signal);
    await (await opened)[Symbol.asyncDispose]();
  }
  t.deepEqual((await readdir(path)).sort(), ['data.mdb', 'lock.mdb']);
});

test('LmdbStore refused for writing leaves the writer all its commits', async t => {
  const path = await folderOf(t);
  const writer = startWriter('loop', path);
  await writer.line();
  for (let i = 0; i < 10; i++) {
    await t.throwsAsync(LmdbStore.open(path), {
      instanceOf: StoreError,
      message: new RegExp(`process ${writer.child.pid} does`),
    });
  }
  let acknowledged = 0;
  for (let i = 0; i < 20; i++) acknowledged = Number(await writer.line());
  t.true(acknowledged >= 20);
  await stop(writer, 'SIGKILL');
});

test('LmdbStore commits no more once another program has changed it', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    await store.commit([['a', sampleMemoryRecord(1)]], nothing);
    const environment = openAside(path);
    await environment.openDB({...binary, name: 'palimpsest'}).put(Buffer.from('commits'), sealValue(7));
    await environment.close();
    await t.throwsAsync(store.commit([['a', sampleMemoryRecord(2)]], nothing), {
      instanceOf: StoreError,
      message: /its last commit must be number 1: current number is 7; keep other programs and containers away/,
    });
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
  });
});

// Readers

test('LmdbStore opened for reading sees what a writer commits, and cannot write', async t => {
  const path = await folderOf(t);
  await withStore(path, async writer => {
    await writer.commit([['a', sampleMemoryRecord(1)]], nothing);
    await withStore(
      path,
      async reader => {
        t.deepEqual(await reader.get('a'), sampleMemoryRecord(1));
        for (let n = 2; n < 5; n++) {
          await writer.commit([['a', sampleMemoryRecord(n, {bytes: 10 ** n * 100})]], {
            partitions: new Map([['p', {nextOffset: BigInt(n), ended: false}]]),
            outputs: new Map(),
          });
          t.is((await reader.get('a'))!.segments, n);
          t.is((await reader.progress()).partitions.get('p')!.nextOffset, BigInt(n));
        }
        await t.throwsAsync(reader.commit([['b', sampleMemoryRecord(1)]], nothing), {
          instanceOf: StoreError,
          message: /must be open for writing: it is open for reading/,
        });
      },
      {readOnly: true},
    );
    await writer.commit([['b', sampleMemoryRecord(2)]], nothing);
    t.deepEqual(await writer.get('b'), sampleMemoryRecord(2));
  });
});

test('LmdbStore opened for reading follows a writer in another process', async t => {
  const path = await folderOf(t);
  const writer = startWriter('loop', path);
  await writer.line();
  await withStore(
    path,
    async reader => {
      for (let i = 0; i < 10; i++) {
        const acknowledged = BigInt((await writer.line())!);
        const {partitions} = await reader.progress();
        t.true(partitions.get('p')!.nextOffset >= acknowledged);
        t.true((await reader.get('large'))!.segments >= Number(acknowledged));
      }
    },
    {readOnly: true},
  );
  await stop(writer, 'SIGKILL');
});

test('LmdbStore says in which order to open for reading and writing in one process', async t => {
  const path = await folderOf(t);
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  await withStore(
    path,
    async () => {
      await t.throwsAsync(LmdbStore.open(path), {instanceOf: StoreError, message: /must be opened for writing before/});
    },
    {readOnly: true},
  );
  await withStore(path, async store => t.deepEqual(await store.get('a'), sampleMemoryRecord(1)));
});

test('LmdbStore opened for reading makes no store', async t => {
  const path = await folderOf(t);
  await t.throwsAsync(LmdbStore.open(path, {readOnly: true}), {
    instanceOf: StoreError,
    message: /found none; check the path/,
  });
  await t.throwsAsync(LmdbStore.open(join(path, 'b'), {readOnly: true}), {
    instanceOf: StoreError,
    message: /found none/,
  });
  await t.throwsAsync(stat(join(path, 'b')), {code: 'ENOENT'});
});

// Bad places

test('LmdbStore refuses a path that is, or leads through, a file', async t => {
  const path = join(await folderOf(t), 'file');
  await writeFile(path, 'hello');
  await t.throwsAsync(LmdbStore.open(path), {instanceOf: StoreError, message: /it must be a folder: it is a file/});
  await t.throwsAsync(LmdbStore.open(join(path, 'below')), {instanceOf: StoreError, message: /a file lies in the way/});
  t.is(await readFile(path, 'utf8'), 'hello');
});

test('LmdbStore refuses a folder whose data file is a folder', async t => {
  const path = await folderOf(t);
  await mkdir(join(path, 'data.mdb'));
  await t.throwsAsync(LmdbStore.open(path), {instanceOf: StoreError, message: /"data.mdb" in it must be a file/});
});

const canMount =
  process.platform === 'linux' && spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const testMounted = canMount ? test : test.skip;

testMounted('LmdbStore refuses a folder on a disk that cannot be written', async t => {
  const path = await folderOf(t);
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  const script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" "$3" hold "$1"';
  const {stdout} = spawnSync('unshare', ['-rm', 'sh', '-c', script, 'sh', path, process.execPath, writerProgram], {
    encoding: 'utf8',
  });
  t.regex(stdout, /^StoreError: Cannot open the store at .* as the folder must be readable and writable: EROFS/);
});

testMounted('LmdbStore makes no store on a full disk', async t => {
  const path = await folderOf(t);
  const script = 'mount -t tmpfs -o size=512k none "$1" && exec "$2" "$3" hold "$1/store"';
  const {stdout} = spawnSync('unshare', ['-rm', 'sh', '-c', script, 'sh', path, process.execPath, writerProgram], {
    encoding: 'utf8',
  });
  t.regex(
    stdout,
    /^StoreError: Cannot open the store at .* as the disk must have 1048576 bytes free: current value is \d+/,
  );
});

testMounted('LmdbStore keeps what it has and goes on when the disk is full', async t => {
  const path = await folderOf(t);
  const script = 'mount -t tmpfs -o size=20m none "$1" && "$2" "$3" fill "$1/store"; "$2" "$3" fill "$1/store"';
  const {stdout} = spawnSync('unshare', ['-rm', 'sh', '-c', script, 'sh', path, process.execPath, writerProgram], {
    encoding: 'utf8',
  });
  const [failure, closed, failureAgain, closedAgain] = stdout.split('\n');
  const {commits, name, message} = JSON.parse(failure!);
  t.true(commits >= 3 && commits <= 4, `${commits}`);
  t.is(name, 'StoreError');
  t.regex(
    message,
    /the disk must have \d+ bytes free: current value is \d+; nothing was changed, make room and try again/,
  );
  t.is(closed, 'closed');
  t.is(JSON.parse(failureAgain!).name, 'StoreError');
  t.is(closedAgain, 'closed');
});

test('LmdbStore keeps what it has and goes on when the system refuses a write', async t => {
  const path = await folderOf(t);
  // Files end at 20 MB for that process, so that LMDB itself meets the error.
  const {stdout, stderr} = spawnSync(
    'sh',
    ['-c', 'ulimit -f 40000 && exec "$1" "$2" fill "$3"', 'sh', process.execPath, writerProgram, path],
    {
      encoding: 'utf8',
    },
  );
  const [failure, closed] = stdout.split('\n');
  const {commits, name, message} = JSON.parse(failure!);
  t.true(commits >= 3 && commits <= 40, stdout);
  t.is(name, 'StoreError', stderr);
  t.regex(
    message,
    /as the disk must take all of it: .*; nothing was changed, make room or check the disk and try again/,
  );
  t.is(closed, 'closed');
  await withStore(path, async store => {
    t.is((await store.progress()).partitions.get('p')!.nextOffset, BigInt(commits - 1));
    t.deepEqual((await keysOf(store)).length, 2 * commits - 1);
    t.is(await store.get('document 0'), undefined);
    t.is((await store.get(`document ${commits - 1}`))!.segments, commits - 1);
    t.is((await store.get(`twin ${commits - 1}`))!.segments, commits - 1);
    t.is(await store.get(`document ${commits}`), undefined);
    t.deepEqual(await store.get('afterwards'), sampleMemoryRecord(1));
  });
});

test('LmdbStore refuses a commit that needs more than maxBytes and goes on', async t => {
  const path = await folderOf(t);
  const large = (n: number): MemoryChange => [`document ${n}`, sampleMemoryRecord(n, {bytes: 5_000_000})];
  const progress = (nextOffset: bigint): Progress => ({
    partitions: new Map([['p', {nextOffset, ended: false}]]),
    outputs: new Map(),
  });
  const message =
    /the records of the store must not exceed 20100000 bytes: current value is 250\d{5} with what this commit replaces; nothing was changed, forget documents, raise maxBytes or make checkpoints smaller/;
  const options = {maxBytes: 20_100_000};
  const refuseAndGoOn = async (store: LmdbStore) => {
    for (let round = 0; round < 3; round++) {
      await t.throwsAsync(store.commit([large(2), large(3), large(4)], progress(9n)), {
        instanceOf: StoreError,
        message,
      });
      t.deepEqual(await keysOf(store), ['document 0', 'document 1']);
      t.is((await store.progress()).partitions.get('p')!.nextOffset, 1n);
      t.is((await store.get('document 1'))!.segments, 1);
      await store.commit([large(0), large(1)], progress(1n));
    }
  };
  await withStore(
    path,
    async store => {
      await store.commit([large(0), large(0), large(1), large(7)], progress(0n));
      await store.commit([['document 7', undefined]], progress(1n));
      await refuseAndGoOn(store);
    },
    options,
  );
  await withStore(path, refuseAndGoOn, options);
  t.true((await stat(join(path, 'data.mdb'))).size < 2 * options.maxBytes);
});

test('LmdbStore uses space again that was replaced or forgotten', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    const changes = (round: number): MemoryChange[] =>
      Array.from({length: 8}, (_, i) => [`document ${i}`, sampleMemoryRecord(round, {bytes: 1_000_000})]);
    for (let round = 0; round < 12; round++) await store.commit(changes(round), nothing);
  });
  const {size} = await stat(join(path, 'data.mdb'));
  t.true(size < 4 * 8_000_000, `${size}`);
});

// Damage

async function damagedStore(t: ExecutionContext): Promise<{path: string; file: string}> {
  const path = await folderOf(t);
  await withStore(path, store =>
    store.commit(
      [
        ['whole', sampleMemoryRecord(1)],
        ['damaged', sampleMemoryRecord(2, {bytes: 2_000_000})],
      ],
      nothing,
    ),
  );
  return {path, file: join(path, 'data.mdb')};
}

for (const length of [1, 100, 4096, 5000, 8192, 500_000]) {
  test(`LmdbStore refuses a data file that ends after ${length} bytes`, async t => {
    const {path, file} = await damagedStore(t);
    await truncate(file, length);
    for (const readOnly of [false, true]) {
      await t.throwsAsync(LmdbStore.open(path, {readOnly}), {
        instanceOf: StoreError,
        message: /its data file must be whole: .*; restore it from a backup, or remove the folder and replay the input/,
      });
    }
  });
}

test('LmdbStore refuses a data file of other bytes', async t => {
  const {path, file} = await damagedStore(t);
  await writeFile(file, Buffer.alloc(100_000, 'Call me Ishmael. '));
  await t.throwsAsync(LmdbStore.open(path), {instanceOf: StoreError, message: /does not begin like a store/});
});

test('LmdbStore opens a data file that ends before pages that LMDB freed unwritten', async t => {
  const {path, file} = await damagedStore(t);
  const handle = await openFile(file, 'r+');
  for (const meta of [0, 4096]) {
    const lastPage = Buffer.alloc(8);
    await handle.read(lastPage, 0, 8, meta + 144);
    lastPage.writeUInt32LE(lastPage.readUInt32LE() + 3);
    await handle.write(lastPage, 0, 8, meta + 144);
  }
  await handle.close();
  for (const readOnly of [true, false]) {
    await withStore(path, async store => t.deepEqual(await store.get('whole'), sampleMemoryRecord(1)), {readOnly});
  }
});

test('LmdbStore says what to do when the last page of the data file is lost', async t => {
  const {path, file} = await damagedStore(t);
  await truncate(file, (await stat(file)).size - 4096);
  await t.throwsAsync(LmdbStore.open(path), {
    instanceOf: StoreError,
    message: /as LMDB refuses it: MDB_.*; if its data is damaged, restore it from a backup, or remove the folder/,
  });
});

test('LmdbStore names the document whose record is damaged, and can forget or replace it', async t => {
  const {path, file} = await damagedStore(t);
  const bytes = await readFile(file);
  const handle = await openFile(file, 'r+');
  await handle.write(Buffer.of(bytes[1_000_000]! ^ 1), 0, 1, 1_000_000);
  await handle.close();
  await withStore(path, async store => {
    await t.throwsAsync(store.get('damaged'), {
      instanceOf: CorruptMemoryError,
      message:
        'Cannot read the memory of document "damaged" as its checksum does not hold: forget the document and replay its input',
    });
    t.deepEqual(await store.get('whole'), sampleMemoryRecord(1));
    await store.commit([['damaged', undefined]], nothing);
    t.is(await store.get('damaged'), undefined);
    await store.commit([['damaged', sampleMemoryRecord(9)]], nothing);
    t.deepEqual(await store.get('damaged'), sampleMemoryRecord(9));
  });
});

test('LmdbStore names the document whose entry is damaged, and can replace it', async t => {
  const {path} = await damagedStore(t);
  const environment = openAside(path);
  const documents = environment.openDB({...binary, name: 'documents'});
  const entry = Buffer.from(documents.get(Buffer.from('\u0001damaged')) as Buffer);
  entry[entry.length - 1]! ^= 1;
  await documents.put(Buffer.from('\u0001damaged'), entry);
  await environment.close();
  await withStore(path, async store => {
    await t.throwsAsync(store.get('damaged'), {instanceOf: CorruptMemoryError, message: /document "damaged"/});
    t.true((await keysOf(store)).includes('damaged'));
    await store.commit([['damaged', sampleMemoryRecord(9)]], nothing);
    t.deepEqual(await store.get('damaged'), sampleMemoryRecord(9));
  });
});

test('LmdbStore says so when it cannot tell the long name of a document whose entry is damaged', async t => {
  const {path} = await damagedStore(t);
  const environment = openAside(path);
  const longName = Buffer.alloc(33, 2);
  await environment.openDB({...binary, name: 'documents'}).put(longName, Buffer.alloc(40));
  await environment.close();
  await withStore(path, store =>
    t.throwsAsync(keysOf(store), {instanceOf: CorruptMemoryError, message: /one with a long name is damaged/}),
  );
});

test('LmdbStore lists documents by partition and time where an earlier version did not note them', async t => {
  const path = await folderOf(t);
  await withStore(path, store => store.commit([['a', sampleMemoryRecord(1)]], nothing));
  const environment = openAside(path);
  const documents = environment.openDB({...binary, name: 'documents'});
  await documents.put(Buffer.from('\u0001a'), sealValue(['a', 0, 4096]));
  await environment.close();
  await withStore(path, async store => {
    const {partition} = sampleMemoryRecord(1).position;
    const listed: string[] = [];
    for await (const id of store.keys({partitions: new Set([partition])})) listed.push(id);
    t.deepEqual(listed, ['a']);
    for await (const id of store.keys({partitions: new Set(['another'])})) t.fail(id);
    const {timestamp} = sampleMemoryRecord(1);
    for await (const id of store.keys({before: timestamp})) t.fail(id);
    for await (const id of store.keys({before: timestamp + 1})) listed.push(id);
    t.deepEqual(listed, ['a', 'a']);
  });
});

// Crashes and load

test('LmdbStore after SIGKILL has memories and progress that agree and no acknowledged commit missing', async t => {
  const path = await folderOf(t);
  let total = 0;
  for (let round = 0; round < 20; round++) {
    const writer = startWriter('loop', path);
    let acknowledged = Number((await writer.line())!);
    t.true(Number.isSafeInteger(acknowledged));
    const killed = new Promise(resolve => setTimeout(resolve, Math.random() * 60)).then(() => stop(writer, 'SIGKILL'));
    for (let line = await writer.line(); line !== undefined; line = await writer.line()) acknowledged = Number(line);
    await killed;
    await withStore(path, async store => {
      const {partitions, outputs} = await store.progress();
      const n = Number(partitions.get('p')!.nextOffset);
      t.true(n === acknowledged || n === acknowledged + 1, `${n} after ${acknowledged}`);
      t.deepEqual(partitions, new Map([['p', {nextOffset: BigInt(n), ended: n % 2 === 0}]]));
      t.deepEqual(outputs, new Map([['o', BigInt(n)]]));
      t.deepEqual(await keysOf(store), ['large', 'small', `turn ${n % 2}`]);
      t.deepEqual(await store.get('small'), sampleMemoryRecord(n));
      t.deepEqual(await store.get(`turn ${n % 2}`), sampleMemoryRecord(n));
      const large = (await store.get('large'))!.memory.tensors.memory!.data;
      const expected = sampleMemoryRecord(n, {bytes: 400_000}).memory.tensors.memory!.data;
      t.true(Buffer.from(large.buffer).equals(Buffer.from(expected.buffer)));
      total = n;
    });
  }
  t.true(total > 20);
  t.log(`${total} commits`);
});

test('LmdbStore removes what a killed process left of a commit', async t => {
  const path = await folderOf(t);
  for (let round = 0; round < 3; round++) {
    const writer = startWriter('loop', path);
    await writer.line();
    await stop(writer, 'SIGKILL');
    await withStore(path, async () => {});
    const environment = openAside(path);
    const count = (name: string) => environment.openDB({...binary, name}).getKeysCount();
    t.is(count('documents'), 3);
    t.is(count('records'), 3);
    await environment.close();
  }
});

test('LmdbStore writes what it has while it waits for more, and removes it when the commit fails', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    await store.commit([['a', sampleMemoryRecord(1)]], nothing);
    const environment = openAside(path);
    const records = environment.openDB({...binary, name: 'records'});
    let written = 0;
    async function* changes(): AsyncIterable<MemoryChange> {
      for (let i = 0; i < 3; i++) yield [`document ${i}`, sampleMemoryRecord(i, {bytes: 2 ** 24})];
      // The last part is not full, but written while more is waited for.
      for (let waits = 0; waits < 600 && written < 4; waits++) {
        await delay(10);
        written = records.getKeysCount();
      }
      throw new Error('enough');
    }
    await t.throwsAsync(store.commit(changes(), nothing), {message: 'enough'});
    t.is(written, 4);
    t.is(records.getKeysCount(), 1);
    await environment.close();
  });
});

// Alone, as other tests would take turns of the loop.
test.serial('LmdbStore lets the event loop run between records and while the disk writes', async t => {
  const path = await folderOf(t);
  await withStore(path, async store => {
    let turns = 0;
    let committing = true;
    const turn = () => {
      turns++;
      if (committing) setImmediate(turn);
    };
    setImmediate(turn);
    const turnsAt: number[] = [];
    function* changes(): Iterable<MemoryChange> {
      for (let i = 0; i < 16; i++) {
        turnsAt.push(turns);
        yield [`document ${i}`, sampleMemoryRecord(i, {bytes: 3_000_000})];
      }
    }
    await store.commit(changes(), nothing);
    committing = false;
    t.true(turnsAt.every((count, i) => i === 0 || count > turnsAt[i - 1]!));
    // Three parts and the last transaction, each written and flushed elsewhere meanwhile.
    t.true(turns > 200, `${turns}`);
  });
});

async function keysOf(store: LmdbStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys.sort();
}
