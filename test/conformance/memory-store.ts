import {StoreError} from '../../errors.ts';
import type {MemoryRecord} from '../../memory-store/memory-record.ts';
import type {KeysOptions, MemoryChange, MemoryStore} from '../../memory-store/memory-store.ts';
import type {Progress} from '../../pipeline/progress.ts';
import {sampleMemoryRecord} from './sample-memory-record.ts';
import type {Assertions, TestFunction} from './test-function.ts';

/** A place that is empty at first, and the store in it. */
export type MemoryStorePlace = {
  /** Opens the store; called again, after the first was closed, if the store says that it is persistent. */
  open(): Promise<MemoryStore>;
  /** Removes the place once all its stores are closed. */
  remove(): Promise<void>;
};

const nothing: Progress = {partitions: new Map(), outputs: new Map()};

/**
 * What every memory store promises, as tests. Run it on your own store:
 *
 * ```ts
 * testMemoryStore(test, async () => ({open: async () => new InMemoryStore(), remove: async () => {}}));
 * ```
 *
 * @param createPlace Makes an empty place; called once for each test.
 */
export function testMemoryStore(
  test: TestFunction,
  createPlace: () => Promise<MemoryStorePlace>,
  {name = 'MemoryStore'}: {name?: string} = {},
): void {
  const onStore = (title: string, body: (t: Assertions, store: MemoryStore) => Promise<void>) =>
    test(`${name} ${title}`, async t => {
      const place = await createPlace();
      const store = await place.open();
      try {
        await body(t, store);
      } finally {
        await store[Symbol.asyncDispose]();
        await place.remove();
      }
    });

  onStore('has nothing at first', async (t, store) => {
    t.is(await store.get('a'), undefined);
    t.deepEqual(await store.progress(), nothing);
    t.deepEqual(await keysOf(store), []);
  });

  onStore('gives back what was committed', async (t, store) => {
    const progress: Progress = {
      partitions: new Map([
        ['books/0', {nextOffset: 2n ** 63n + 1n, ended: true}],
        ['books/1', {nextOffset: 7n, ended: false, precedingDigest: 'aé'}],
      ]),
      outputs: new Map([['out.jsonl', 2n ** 53n + 1n]]),
    };
    await store.commit([['a', sampleMemoryRecord(1)]], progress);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
    t.deepEqual(await store.progress(), progress);
    t.is(await store.get('b'), undefined);
  });

  onStore('gives back every bit of a tensor', async (t, store) => {
    const data = new Float32Array(
      new Uint32Array([0x7fc12345, 0xff812345, 0x80000000, 0x7f800000, 1, 0xff7fffff]).buffer,
    );
    const record = sampleMemoryRecord(1);
    const memory = {...record.memory, tensors: {memory: {shape: [2, 3], data}}};
    await store.commit([['a', {...record, memory}]], nothing);
    const found = (await store.get('a'))!.memory.tensors.memory!;
    t.deepEqual(new Uint32Array(found.data.buffer), new Uint32Array(data.buffer));
    t.deepEqual(found.shape, [2, 3]);
  });

  onStore('keeps a record whose arrays are empty', async (t, store) => {
    const record: MemoryRecord = {
      fingerprint: '',
      position: {partition: '', offset: -1n},
      timestamp: 0,
      segments: 0,
      carry: new Uint8Array(),
      pendingTokens: new Int32Array(),
      pendingByteLengths: new Int32Array(),
      summary: {
        tokens: 0,
        bytes: 0,
        bits: 0,
        hiddenSum: new Float64Array(),
        lexicalCounts: new Uint32Array(),
        lastToken: -1,
      },
      memory: {
        memoryCount: 0,
        compressedMemoryCount: 0,
        tensors: {memory: {shape: [2, 0, 8], data: new Float32Array()}},
      },
    };
    await store.commit([['a', record]], nothing);
    t.deepEqual(await store.get('a'), record);
  });

  onStore('is not changed through a record that was committed', async (t, store) => {
    const record = sampleMemoryRecord(1);
    await store.commit([['a', record]], nothing);
    spoil(record);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
  });

  onStore('is not changed through a record or progress that was read', async (t, store) => {
    const partitions = new Map([['p', {nextOffset: 1n, ended: false}]]);
    await store.commit([['a', sampleMemoryRecord(1)]], {partitions, outputs: new Map([['o', 1n]])});
    spoil((await store.get('a'))!);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));

    partitions.get('p')!.nextOffset = 7n;
    const read = (await store.progress()) as {partitions: typeof partitions; outputs: Map<string, bigint>};
    read.partitions.get('p')!.nextOffset = 8n;
    read.partitions.set('q', {nextOffset: 9n, ended: true});
    read.outputs.clear();
    t.deepEqual(await store.progress(), {
      partitions: new Map([['p', {nextOffset: 1n, ended: false}]]),
      outputs: new Map([['o', 1n]]),
    });
  });

  onStore('keeps a record that was read as it was', async (t, store) => {
    await store.commit([['a', sampleMemoryRecord(1)]], nothing);
    const read = await store.get('a');
    await store.commit([['a', sampleMemoryRecord(2)]], nothing);
    await store.commit([['a', undefined]], nothing);
    t.deepEqual(read, sampleMemoryRecord(1));
  });

  onStore('takes the last of several changes to one document', async (t, store) => {
    await store.commit(
      [
        ['a', sampleMemoryRecord(1)],
        ['b', sampleMemoryRecord(2)],
        ['a', undefined],
        ['b', undefined],
        ['a', sampleMemoryRecord(3)],
      ],
      nothing,
    );
    t.deepEqual(await store.get('a'), sampleMemoryRecord(3));
    t.is(await store.get('b'), undefined);
    t.deepEqual(await keysOf(store), ['a']);
  });

  onStore('forgets documents, also ones it never had', async (t, store) => {
    await store.commit(
      [
        ['a', sampleMemoryRecord(1)],
        ['b', sampleMemoryRecord(2)],
      ],
      nothing,
    );
    await store.commit(
      [
        ['a', undefined],
        ['never', undefined],
      ],
      nothing,
    );
    t.is(await store.get('a'), undefined);
    t.deepEqual(await store.get('b'), sampleMemoryRecord(2));
    t.deepEqual(await keysOf(store), ['b']);
    await store.commit([['a', sampleMemoryRecord(4)]], nothing);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(4));
  });

  onStore('merges progress and lengths of outputs', async (t, store) => {
    await store.commit([], {
      partitions: new Map([
        ['p', {nextOffset: 1n, ended: false}],
        ['q', {nextOffset: 2n, ended: false}],
      ]),
      outputs: new Map([['x', 10n]]),
    });
    await store.commit([], {
      partitions: new Map([['p', {nextOffset: 5n, ended: true}]]),
      outputs: new Map([['y', 0n]]),
    });
    t.deepEqual(await store.progress(), {
      partitions: new Map([
        ['p', {nextOffset: 5n, ended: true}],
        ['q', {nextOffset: 2n, ended: false}],
      ]),
      outputs: new Map([
        ['x', 10n],
        ['y', 0n],
      ]),
    });
  });

  onStore('takes any well-formed name', async (t, store) => {
    const names = oddNames();
    await store.commit(
      names.map((name, i): MemoryChange => [name, sampleMemoryRecord(i)]),
      {
        partitions: new Map(names.map((name, i) => [name, {nextOffset: BigInt(i), ended: false}])),
        outputs: new Map(names.map((name, i) => [name, BigInt(i)])),
      },
    );
    t.deepEqual(await keysOf(store), [...names].sort());
    const {partitions, outputs} = await store.progress();
    t.is(partitions.size, names.length);
    t.is(outputs.size, names.length);
    for (const [i, name] of names.entries()) {
      t.deepEqual(await store.get(name), sampleMemoryRecord(i));
      t.is(partitions.get(name)?.nextOffset, BigInt(i));
      t.is(outputs.get(name), BigInt(i));
    }
  });

  onStore('refuses names that are not Unicode', async (t, store) => {
    const name = 'half a pair \ud83d';
    await t.throwsAsync(store.get(name), {instanceOf: RangeError});
    await t.throwsAsync(store.commit([[name, sampleMemoryRecord(1)]], nothing), {instanceOf: RangeError});
    await t.throwsAsync(store.commit([[name, undefined]], nothing), {instanceOf: RangeError});
    const partitions = new Map([[name, {nextOffset: 1n, ended: false}]]);
    await t.throwsAsync(store.commit([['a', sampleMemoryRecord(1)]], {partitions, outputs: new Map()}), {
      instanceOf: RangeError,
    });
    const outputs = new Map([[name, 1n]]);
    await t.throwsAsync(store.commit([['a', sampleMemoryRecord(1)]], {partitions: new Map(), outputs}), {
      instanceOf: RangeError,
    });
    t.deepEqual(await keysOf(store), []);
    t.deepEqual(await store.progress(), nothing);
  });

  onStore('lists the documents whose memory ends in given partitions', async (t, store) => {
    const at = (partition: string): MemoryRecord => ({...sampleMemoryRecord(1), position: {partition, offset: 1n}});
    await store.commit(
      [
        ['a', at('p')],
        ['b', at('q')],
        ['c', at('p')],
        ['d', at('r')],
      ],
      nothing,
    );
    t.deepEqual(await keysOf(store, {partitions: new Set(['p', 'r', 'none'])}), ['a', 'c', 'd']);
    t.deepEqual(await keysOf(store, {partitions: new Set()}), []);
    await store.commit(
      [
        ['a', at('q')],
        ['c', undefined],
      ],
      nothing,
    );
    t.deepEqual(await keysOf(store, {partitions: new Set(['p', 'r'])}), ['d']);
    t.deepEqual(await keysOf(store, {partitions: new Set(['q'])}), ['a', 'b']);
  });

  onStore('lists the documents whose last record is older than a time', async (t, store) => {
    const at = (timestamp: number, partition = 'p'): MemoryRecord => ({
      ...sampleMemoryRecord(1),
      position: {partition, offset: 1n},
      timestamp,
    });
    await store.commit(
      [
        ['a', at(5)],
        ['b', at(6)],
        ['c', at(7, 'q')],
      ],
      nothing,
    );
    t.deepEqual(await keysOf(store, {before: 5}), []);
    t.deepEqual(await keysOf(store, {before: 7}), ['a', 'b']);
    t.deepEqual(await keysOf(store, {before: 8, partitions: new Set(['q'])}), ['c']);
    await store.commit([['a', at(9)]], nothing);
    t.deepEqual(await keysOf(store, {before: 7}), ['b']);
  });

  onStore('lists each of many documents once', async (t, store) => {
    const names = Array.from({length: 2500}, (_, i) => `document ${i}`);
    const record = sampleMemoryRecord(1);
    await store.commit(
      names.map(name => [name, record]),
      nothing,
    );
    t.deepEqual(await keysOf(store), [...names].sort());
    const left = names.filter((_, i) => i % 3 === 0);
    await store.commit(
      names.filter((_, i) => i % 3 !== 0).map(name => [name, undefined]),
      nothing,
    );
    t.deepEqual(await keysOf(store), [...left].sort());
  });

  onStore('takes changes one by one from an asynchronous source', async (t, store) => {
    async function* changes(): AsyncIterable<MemoryChange> {
      for (let i = 0; i < 5; i++) {
        await new Promise(resolve => setTimeout(resolve, 1));
        yield [`document ${i}`, sampleMemoryRecord(i)];
      }
    }
    await store.commit(changes(), nothing);
    for (let i = 0; i < 5; i++) t.deepEqual(await store.get(`document ${i}`), sampleMemoryRecord(i));
  });

  onStore('changes nothing when the source of changes fails', async (t, store) => {
    const before: Progress = {partitions: new Map([['p', {nextOffset: 1n, ended: false}]]), outputs: new Map()};
    await store.commit([['a', sampleMemoryRecord(1)]], before);
    const failure = new Error('the model stopped');
    async function* changes(): AsyncIterable<MemoryChange> {
      yield ['a', sampleMemoryRecord(2, {bytes: 2 ** 24})];
      yield ['b', sampleMemoryRecord(3, {bytes: 2 ** 24})];
      throw failure;
    }
    const after: Progress = {
      partitions: new Map([['p', {nextOffset: 9n, ended: true}]]),
      outputs: new Map([['o', 1n]]),
    };
    t.is(await t.throwsAsync(store.commit(changes(), after)), failure);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
    t.deepEqual(await keysOf(store), ['a']);
    t.deepEqual(await store.progress(), before);

    await store.commit([['b', sampleMemoryRecord(4)]], after);
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
    t.deepEqual(await store.get('b'), sampleMemoryRecord(4));
  });

  onStore('changes nothing when a record cannot be encoded', async (t, store) => {
    const record = sampleMemoryRecord(1);
    const tensors = {memory: {shape: [3], data: new Float32Array(2)}};
    const bad = {...record, memory: {...record.memory, tensors}};
    const changes: MemoryChange[] = [
      ['a', record],
      ['b', bad],
    ];
    await t.throwsAsync(store.commit(changes, nothing), {instanceOf: RangeError});
    t.deepEqual(await keysOf(store), []);
  });

  onStore('shows the old records until a commit is done', async (t, store) => {
    await store.commit([['a', sampleMemoryRecord(1)]], nothing);
    let release: (() => void) | undefined;
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    let reached: (() => void) | undefined;
    const halfWay = new Promise<void>(resolve => {
      reached = resolve;
    });
    async function* changes(): AsyncIterable<MemoryChange> {
      yield ['a', sampleMemoryRecord(2, {bytes: 2 ** 24})];
      yield ['b', sampleMemoryRecord(3, {bytes: 2 ** 24})];
      yield ['c', sampleMemoryRecord(3)];
      reached!();
      await gate;
    }
    const committed = store.commit(changes(), {partitions: new Map(), outputs: new Map([['o', 1n]])});
    await halfWay;
    t.deepEqual(await store.get('a'), sampleMemoryRecord(1));
    t.deepEqual(await keysOf(store), ['a']);
    t.is((await store.progress()).outputs.size, 0);
    release!();
    await committed;
    assertSameRecord(t, await store.get('a'), sampleMemoryRecord(2, {bytes: 2 ** 24}));
    t.deepEqual(await keysOf(store), ['a', 'b', 'c']);
    t.is((await store.progress()).outputs.get('o'), 1n);
  });

  onStore('makes commits in the order in which they were asked for', async (t, store) => {
    async function* slowly(seed: number): AsyncIterable<MemoryChange> {
      await new Promise(resolve => setTimeout(resolve, 20 - seed));
      yield ['a', sampleMemoryRecord(seed)];
      yield [`only ${seed}`, sampleMemoryRecord(seed)];
    }
    const progress = (offset: number): Progress => ({
      partitions: new Map([['p', {nextOffset: BigInt(offset), ended: false}]]),
      outputs: new Map(),
    });
    await Promise.all(Array.from({length: 10}, (_, i) => store.commit(slowly(i), progress(i))));
    t.deepEqual(await store.get('a'), sampleMemoryRecord(9));
    t.is((await store.progress()).partitions.get('p')!.nextOffset, 9n);
    for (let i = 0; i < 10; i++) t.deepEqual(await store.get(`only ${i}`), sampleMemoryRecord(i));
  });

  onStore('goes on after a commit that failed', async (t, store) => {
    const bad = {...sampleMemoryRecord(1), carry: undefined as unknown as Uint8Array};
    const [first, second] = await Promise.allSettled([
      store.commit([['a', bad]], nothing),
      store.commit([['b', sampleMemoryRecord(2)]], nothing),
    ]);
    t.is(first.status, 'rejected');
    t.is(second.status, 'fulfilled');
    t.deepEqual(await keysOf(store), ['b']);
  });

  onStore('keeps a record of 20 MB', async (t, store) => {
    const record = sampleMemoryRecord(5, {bytes: 20_000_000});
    await store.commit([['a', record]], nothing);
    assertSameRecord(t, await store.get('a'), record);
  });

  test(`${name} closes twice, waits for what is under way, and refuses use afterwards`, async t => {
    const place = await createPlace();
    const store = await place.open();
    const committed = store.commit([['a', sampleMemoryRecord(1)]], nothing);
    await Promise.all([committed, store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    await store[Symbol.asyncDispose]();
    await t.throwsAsync(store.get('a'), {instanceOf: StoreError});
    await t.throwsAsync(store.commit([], nothing), {instanceOf: StoreError});
    await t.throwsAsync(store.progress(), {instanceOf: StoreError});
    await t.throwsAsync(keysOf(store), {instanceOf: StoreError});
    await place.remove();
  });

  test(`${name} keeps what was committed when it is persistent and opened again`, async t => {
    const place = await createPlace();
    const progress: Progress = {
      partitions: new Map([['p', {nextOffset: 3n, ended: true}]]),
      outputs: new Map([['o', 4n]]),
    };
    const first = await place.open();
    await first.commit([['a', sampleMemoryRecord(1)]], progress);
    await first[Symbol.asyncDispose]();
    if (!first.supports.persistent) {
      t.pass();
      return place.remove();
    }
    const second = await place.open();
    t.deepEqual(await second.get('a'), sampleMemoryRecord(1));
    t.deepEqual(await second.progress(), progress);
    await second.commit([['a', sampleMemoryRecord(2)]], nothing);
    await second[Symbol.asyncDispose]();
    const third = await place.open();
    t.deepEqual(await third.get('a'), sampleMemoryRecord(2));
    t.deepEqual(await third.progress(), progress);
    await third[Symbol.asyncDispose]();
    await place.remove();
  });
}

/** As `deepEqual`, which takes seconds over a large tensor. */
function assertSameRecord(t: Assertions, actual: MemoryRecord | undefined, expected: MemoryRecord): void {
  const bytesOf = ({data}: {data: Float32Array}) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const withoutData = ({memory, ...rest}: MemoryRecord) => ({
    ...rest,
    memory: {
      ...memory,
      tensors: Object.entries(memory.tensors)
        .map(([tensor, {shape}]) => [tensor, shape])
        .sort(),
    },
  });
  if (actual === undefined) {
    t.fail();
    return;
  }
  t.deepEqual(withoutData(actual), withoutData(expected));
  for (const [tensor, found] of Object.entries(actual.memory.tensors)) {
    t.true(bytesOf(found).equals(bytesOf(expected.memory.tensors[tensor]!)), tensor);
  }
}

function oddNames(): string[] {
  return [
    '',
    ' ',
    '/',
    '../up',
    'a/b',
    'a\\b',
    'nul\0inside',
    '\0',
    '\u0001',
    'new\nline',
    '__proto__',
    'constructor',
    'é',
    'e\u0301',
    '😀',
    '\uffff',
    '\ufeff',
    'x'.repeat(499),
    'x'.repeat(500),
    'x'.repeat(501),
    'x'.repeat(10_000),
    `${'x'.repeat(9_999)}y`,
    '😀'.repeat(5_000),
  ];
}

/** In UTF-16 order. */
async function keysOf(store: MemoryStore, options?: KeysOptions): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys(options)) keys.push(key);
  return keys.sort();
}

/** Overwrites every array of a record. */
function spoil(record: MemoryRecord): void {
  record.carry.fill(9);
  record.pendingTokens.fill(9);
  record.pendingByteLengths.fill(9);
  record.summary.hiddenSum.fill(9);
  for (const {shape, data} of Object.values(record.memory.tensors)) {
    (shape as number[])[0] = 9;
    data.fill(9);
  }
}
