import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {FileSource, type FileSourceOptions} from '../../connectors/file-source.ts';
import {SourceError} from '../../errors.ts';
import {Checkpoint} from '../../pipeline/checkpoint.ts';
import {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {Element} from '../../pipeline/element.ts';
import type {Line} from '../../pipeline/line.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import type {Progress} from '../../pipeline/progress.ts';
import type {StreamRecord} from '../../pipeline/stream-record.ts';
import {CollectSink} from '../driver/collect-sink.ts';
import {openFiles} from './open-files.ts';
import {progressAfter, readAll, show, showAll} from './show-elements.ts';
import {temporaryFolder} from './temporary-folder.ts';

type Files = Record<string, string | Uint8Array>;

function write(folder: string, files: Files): string[] {
  return Object.entries(files).map(([name, content]) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  });
}

function read(inputs: readonly string[], options: Omit<FileSourceOptions, 'inputs'> = {}): Promise<string[]> {
  return showAll(new FileSource({inputs, ...options}).open());
}

/** All content that elements show, what is cut set off, whether the last record alone is marked as such, and the barrier. */
function joined(shown: readonly string[]): unknown[] {
  const records = shown.slice(0, -1);
  const content = records.map(
    line => JSON.parse(/"(?:[^"\\]|\\.)*"/.exec(line)![0]) + (line.endsWith(' cut') ? '…' : ''),
  );
  return [content.join(''), records.map(line => line.includes('" last')).indexOf(true) - records.length, shown.at(-1)];
}

function progressOf(partition: string, nextOffset: bigint, ended: boolean): Progress {
  return {partitions: new Map([[partition, {nextOffset, ended}]]), outputs: new Map()};
}

for (const [name, content, options, expected] of [
  ['short file as one chunk', 'abc', {}, ['f 2 "abc" last', '-- f 3 ended']],
  [
    'file in chunks, the last one marked',
    'abcdefgh',
    {chunkBytes: 3},
    ['f 2 "abc"', 'f 5 "def"', 'f 7 "gh" last', '-- f 8 ended'],
  ],
  ['file that fills its chunks exactly', 'abcdef', {chunkBytes: 3}, ['f 2 "abc"', 'f 5 "def" last', '-- f 6 ended']],
  ['empty file as one empty chunk', '', {}, ['f -1 "" last', '-- f 0 ended']],
  ['file without its byte order mark', '\ufeffab', {}, ['f 4 "ab" last', '-- f 5 ended']],
  ['byte order mark alone as one empty chunk', '\ufeff', {}, ['f 2 "" last', '-- f 3 ended']],
  [
    'whole lines',
    'ab\ncd\nefghijk\nl',
    {split: 'whole-lines', chunkBytes: 7},
    ['f 5 "ab\\ncd\\n"', 'f 13 "efghijk\\n"', 'f 14 "l" last', '-- f 15 ended'],
  ],
  [
    'whole lines, long ones among them, and cut',
    'ab\nabcdefgh\nabcdefghi\nabcdefghijklmnopq\n\nab\nabcdefghij',
    {split: 'whole-lines', chunkBytes: 5, maxLineBytes: 8},
    [
      'f 2 "ab\\n"',
      'f 11 "abcdefgh\\n"',
      'f 21 "abcdefgh" cut',
      'f 39 "abcdefgh" cut',
      'f 43 "\\nab\\n"',
      'f 53 "abcdefgh" last cut',
      '-- f 54 ended',
    ],
  ],
  [
    'whole lines whose last one is long',
    'abcdefgh',
    {split: 'whole-lines', chunkBytes: 5, maxLineBytes: 8},
    ['f 7 "abcdefgh" last', '-- f 8 ended'],
  ],
  ['empty file in whole lines as one empty chunk', '', {split: 'whole-lines'}, ['f -1 "" last', '-- f 0 ended']],
  ['lines', 'ab\ncd\r\n\r\n\n e\n', {split: 'lines'}, ['f 2 "ab"', 'f 6 "cd"', 'f 12 " e" last', '-- f 13 ended']],
  ['line without a line feed', 'ab\ncd', {split: 'lines'}, ['f 2 "ab"', 'f 4 "cd" last', '-- f 5 ended']],
  ['empty lines as nothing', '\n\r\nab\n\n\r\n', {split: 'lines'}, ['f 5 "ab" last', '-- f 9 ended']],
  ['file of empty lines as nothing', '\n\r\n\n', {split: 'lines'}, ['-- f 4 ended']],
  ['empty file in lines as nothing', '', {split: 'lines'}, ['-- f 0 ended']],
  [
    'carriage returns inside lines',
    'a\rb\n\rc\r',
    {split: 'lines'},
    ['f 3 "a\\rb"', 'f 6 "\\rc\\r" last', '-- f 7 ended'],
  ],
  [
    'long lines cut',
    'abc\r\nabcd\nabcdefg\r\nabc\nabcd',
    {split: 'lines', maxLineBytes: 3},
    ['f 4 "abc"', 'f 9 "abc" cut', 'f 18 "abc" cut', 'f 22 "abc"', 'f 26 "abc" last cut', '-- f 27 ended'],
  ],
] as const) {
  test(`FileSource reads ${name}`, async t => {
    const folder = temporaryFolder(t);
    const [plain, compressed] = write(folder, {f: content, 'f.gz': gzipSync(content)}) as [string, string];
    t.deepEqual(await read([plain], options), [...expected]);
    const zipped = expected.map(line => line.replace(/^(-- )?f /, '$1f.gz '));
    t.deepEqual(await read([compressed], options), zipped);
    const piped = expected.map(line => line.replace(/^(-- )?f /, '$1stdin '));
    for (const bytes of [Buffer.from(content), gzipSync(content)]) {
      const stream = Readable.from(
        Array.from(bytes, byte => Buffer.of(byte)),
        {objectMode: false},
      );
      const shown = await read(['-'], {...options, stdin: {stream}});
      // Text is given as it comes, in more pieces than of a file.
      const split = 'split' in options ? options.split : 'chunks';
      if (split === 'lines' || bytes[0] === 0x1f) t.deepEqual(shown, piped);
      else t.deepEqual(joined(shown), joined(piped));
    }
  });
}

test('FileSource keeps only the beginning of a line that is too long', async t => {
  const [path] = write(temporaryFolder(t), {f: `${'x'.repeat(200_000)}\n`}) as [string];
  for (const split of ['lines', 'whole-lines'] as const) {
    const [record] = await readAll(new FileSource({inputs: [path], split, maxLineBytes: 100_000}).open());
    const {value, position} = record as StreamRecord<Line>;
    t.deepEqual([value.content.length, value.cut, position.offset], [65_536, true, 200_000n]);
  }
});

test('FileSource keys records by path, names partitions by real path, and dates them by the file', async t => {
  const folder = temporaryFolder(t);
  const [path] = write(folder, {f: 'abc'}) as [string];
  utimesSync(path, 1000, 1234.5);
  const link = join(folder, 'link');
  symlinkSync(path, link);
  const [record] = (await readAll(new FileSource({inputs: [link, path]}).open())) as [StreamRecord<Line>];
  t.deepEqual(record, {
    key: link,
    value: {content: new Uint8Array(Buffer.from('abc')), last: true},
    position: {partition: `file:${path}`, offset: 2n},
    timestamp: 1_234_500,
  });
});

test('FileSource reads a file once that it is given twice', async t => {
  const folder = temporaryFolder(t);
  const [path] = write(folder, {f: 'abc'}) as [string];
  t.deepEqual(await read([path, path]), ['f 2 "abc" last', '-- f 3 ended']);
});

test('FileSource keys standard input as told', async t => {
  const source = new FileSource({inputs: ['-'], stdin: {key: 'log', stream: Readable.from([Buffer.from('a')])}});
  const [record] = (await readAll(source.open())) as [StreamRecord<Line>];
  t.is(record.key, 'log');
  t.deepEqual(record.position, {partition: 'stdin', offset: 0n});
});

test('FileSource reads several inputs in turns and lets the next one in when one is finished', async t => {
  const folder = temporaryFolder(t);
  const inputs = write(folder, {a: 'aaa', b: 'b', c: 'cc', d: 'd', e: ''});
  t.deepEqual(await read(inputs, {chunkBytes: 1, concurrency: 2}), [
    'a 0 "a"',
    'b 0 "b" last',
    'a 1 "a"',
    'c 0 "c"',
    'a 2 "a" last',
    'c 1 "c" last',
    'd 0 "d" last',
    'e -1 "" last',
    '-- a 3 ended, b 1 ended, c 2 ended, d 1 ended, e 0 ended',
  ]);
});

test('FileSource places barriers between rounds as the schedule says', async t => {
  const folder = temporaryFolder(t);
  const inputs = write(folder, {a: 'aaaa', b: 'bb', c: 'c'});
  const checkpoints = new CheckpointSchedule({bytes: 3});
  t.deepEqual(await showAll(new FileSource({inputs, chunkBytes: 1, concurrency: 2}).open({checkpoints})), [
    'a 0 "a"',
    'b 0 "b"',
    'a 1 "a"',
    'b 1 "b" last',
    '-- a 2, b 2 ended',
    'a 2 "a"',
    'c 0 "c" last',
    'a 3 "a" last',
    '-- a 4 ended, c 1 ended',
  ]);
});

test('FileSource places a barrier when one is asked for', async t => {
  const folder = temporaryFolder(t);
  const checkpoints = new CheckpointSchedule();
  const stream = new FileSource({inputs: write(folder, {a: 'abcd'}), chunkBytes: 1}).open({checkpoints});
  const shown: string[] = [];
  for await (const element of stream) {
    shown.push(show(element));
    if (shown.length === 2) checkpoints.request();
  }
  t.deepEqual(shown, ['a 0 "a"', 'a 1 "b"', '-- a 2', 'a 2 "c"', 'a 3 "d" last', '-- a 4 ended']);
});

const texts: Files = {
  a: 'one\ntwo\n\n\nthree\r\nfour',
  'b.gz': gzipSync('\ufefffive\nsix is longer\n\r\nseven\n\n'),
  c: '',
  d: '\n\n',
  e: '\ufeffeight\nnine\nten\neleven\n',
  f: 'x'.repeat(50),
  g: `a ${'y'.repeat(6)}\nb ${'z'.repeat(20)}\nc\n`,
};

for (const split of ['chunks', 'whole-lines', 'lines'] as const) {
  for (const concurrency of [1, 2, 3, 10]) {
    for (const bytes of [1, 7, 20]) {
      for (const rereadFromStart of [false, true]) {
        const again = rereadFromStart ? ', what is covered included,' : '';
        test(`FileSource goes on${again} at every barrier with ${split}, ${concurrency} at once, every ${bytes} bytes`, async t => {
          const folder = temporaryFolder(t);
          const inputs = write(folder, texts);
          const options = {inputs, split, concurrency, chunkBytes: 5, maxLineBytes: 9};
          const schedule = (): {checkpoints: CheckpointSchedule} => ({checkpoints: new CheckpointSchedule({bytes})});
          const whole = await readAll(new FileSource(options).open(schedule()));
          const barriers = whole.flatMap((element, index) => (element instanceof Checkpoint ? [index] : []));
          t.true(barriers.length > 2);
          for (const barrier of barriers.slice(0, -1)) {
            const before = whole.slice(0, barrier + 1);
            const progress = progressAfter(before);
            const source = new FileSource({...options, rereadFromStart});
            const resumed = (await readAll(source.open({progress, ...schedule()}))) as Element<StreamRecord<Line>>[];
            const isCovered = (element: Element<StreamRecord<Line>>): boolean =>
              !(element instanceof Checkpoint) &&
              element.position.offset < (progress.partitions.get(element.position.partition)?.nextOffset ?? -1n);
            t.deepEqual(
              resumed.filter(element => !isCovered(element)).map(show),
              whole.slice(barrier + 1).map(show),
              `${barrier}`,
            );
            const unfinished = before.filter(
              element =>
                !(element instanceof Checkpoint) && !progress.partitions.get(element.position.partition)?.ended,
            );
            const repeated = resumed.filter(isCovered).map(show).sort();
            t.deepEqual(repeated, rereadFromStart ? unfinished.map(show).sort() : [], `${barrier}`);
          }
        });
      }
    }
  }
}

test('FileSource goes on with standard input that is piped again', async t => {
  const open = (options: Partial<FileSourceOptions>, progress?: Progress) =>
    showAll(
      new FileSource({
        inputs: ['-'],
        chunkBytes: 2,
        stdin: {stream: Readable.from([Buffer.from('abcde')])},
        ...options,
      }).open(progress && {progress}),
    );
  t.deepEqual(await open({}, progressOf('stdin', 2n, false)), ['stdin 3 "cd"', 'stdin 4 "e" last', '-- stdin 5 ended']);
  t.deepEqual(await open({}, progressOf('stdin', 5n, true)), ['--']);
  const error = await t.throwsAsync(open({}, progressOf('stdin', 6n, false)), {instanceOf: SourceError});
  t.is(error?.message, 'Cannot go on reading "-" at offset 6 as it holds only 5 bytes: pipe the same input again');
});

for (const rereadFromStart of [false, true]) {
  for (const [name, pack] of [
    ['plain', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ] as const) {
    test(`FileSource passes over a finished ${name} file, goes on when it has grown, fails when it was cut (${rereadFromStart})`, async t => {
      const folder = temporaryFolder(t);
      const [path] = write(folder, {f: pack('abc')}) as [string];
      const open = (progress: Progress) =>
        showAll(new FileSource({inputs: [path], chunkBytes: 2, rereadFromStart}).open({progress}));
      const finished = progressOf(`file:${path}`, 3n, true);
      t.deepEqual(await open(finished), ['--']);
      appendFileSync(path, pack('def'));
      const covered = rereadFromStart ? ['f 1 "ab"', 'f 2 "c"'] : [];
      t.deepEqual(await open(finished), [...covered, 'f 4 "de"', 'f 5 "f" last', '-- f 6 ended']);
      writeFileSync(path, pack('ab'));
      for (const progress of [finished, progressOf(`file:${path}`, 3n, false)]) {
        const error = await t.throwsAsync(open(progress), {instanceOf: SourceError});
        t.is(
          error?.message,
          `Cannot go on reading "${path}" at offset 3 as it holds only 2 bytes: it was cut or replaced`,
        );
      }
    });
  }
}

for (const rereadFromStart of [false, true]) {
  for (const [name, pack] of [
    ['plain', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ] as const) {
    test(`FileSource tells a ${name} file that was replaced from one that has grown (${rereadFromStart})`, async t => {
      for (const length of [1, 3, 1023, 1024, 1025, 5000, 200_000]) {
        const [path] = write(temporaryFolder(t), {f: pack('x'.repeat(length))}) as [string];
        const open = (progress?: Progress) =>
          readAll(new FileSource({inputs: [path], chunkBytes: 700, rereadFromStart}).open(progress && {progress}));
        const elements = await open();
        const finished = progressAfter(elements);
        // Barriers that came before the end have digests as well.
        const [partition, {precedingDigest}] = [...finished.partitions][0]!;
        const unfinished = {
          partitions: new Map([
            [partition, {nextOffset: BigInt(length), ended: false, precedingDigest: precedingDigest!}],
          ]),
          outputs: new Map(),
        };
        writeFileSync(path, pack(`${'x'.repeat(length)}more`));
        for (const progress of [finished, unfinished]) await t.notThrowsAsync(open(progress), `${length}`);
        for (const end of ['y', 'y, and more']) {
          writeFileSync(path, pack('x'.repeat(length - 1) + end));
          for (const progress of [finished, unfinished]) {
            const error = await t.throwsAsync(open(progress), {instanceOf: SourceError}, `${length}`);
            t.is(
              error?.message,
              `Cannot go on reading "${path}" at offset ${length} as what lies before must be what was read: it is not; it was replaced`,
            );
          }
        }
      }
    });
  }
}

test('FileSource tells standard input that is another one', async t => {
  const open = (text: string, progress?: Progress) =>
    readAll(
      new FileSource({inputs: ['-'], stdin: {stream: Readable.from([Buffer.from(text)])}}).open(progress && {progress}),
    );
  const progress = progressAfter(await open('abcde'));
  await t.notThrowsAsync(open('abcdefg', progress));
  const error = await t.throwsAsync(open('abcdXfg', progress), {instanceOf: SourceError});
  t.regex(error!.message, /^Cannot go on reading "-" at offset 5 as .*: it is not; pipe the same input again$/);
});

test('FileSource still says that an unfinished file has ended when nothing is left of it', async t => {
  const [path] = write(temporaryFolder(t), {f: 'abc'}) as [string];
  const progress = progressOf(`file:${path}`, 3n, false);
  const open = (rereadFromStart: boolean) =>
    showAll(new FileSource({inputs: [path], chunkBytes: 2, rereadFromStart}).open({progress}));
  t.deepEqual(await open(false), ['f 2 "" last', '-- f 3 ended']);
  t.deepEqual(await open(true), ['f 1 "ab"', 'f 2 "c"', 'f 2 "" last', '-- f 3 ended']);
});

test('FileSource goes on with a finished empty file when it has grown', async t => {
  const [path] = write(temporaryFolder(t), {f: ''}) as [string];
  const progress = progressOf(`file:${path}`, 0n, true);
  t.deepEqual(await showAll(new FileSource({inputs: [path]}).open({progress})), ['--']);
  writeFileSync(path, 'ab');
  t.deepEqual(await showAll(new FileSource({inputs: [path]}).open({progress})), ['f 1 "ab" last', '-- f 2 ended']);
});

test('FileSource reads gzip members as one content, wherever its input is cut', async t => {
  const packed = Buffer.concat([gzipSync('one '), gzipSync('two '), gzipSync('three')]);
  for (let cut = 1; cut < packed.length; cut++) {
    const stream = Readable.from([packed.subarray(0, cut), packed.subarray(cut)], {objectMode: false});
    t.deepEqual(await read(['-'], {stdin: {stream}}), ['stdin 12 "one two three" last', '-- stdin 13 ended'], `${cut}`);
  }
});

test('FileSource reads large files, plain and gzip, byte for byte', async t => {
  const content = Buffer.from(Array.from({length: 40_000}, (_, index) => `line ${index} ${index * index}`).join('\n'));
  const inputs = write(temporaryFolder(t), {plain: content, packed: gzipSync(content)});
  for (const split of ['chunks', 'whole-lines', 'lines'] as const) {
    for (const input of inputs) {
      const elements = await readAll(new FileSource({inputs: [input], split, chunkBytes: 30_000}).open());
      const records = elements.filter(element => !(element instanceof Checkpoint)) as StreamRecord<Line>[];
      const joined = records
        .map(record => Buffer.from(record.value.content).toString())
        .join(split === 'lines' ? '\n' : '');
      t.true(joined === content.toString(), `${split} ${input}`);
    }
  }
});

test('FileSource gives out what precedes the end of a truncated gzip file and names file and offset', async t => {
  const content = Array.from({length: 20_000}, (_, index) => `line ${index} ${index * index}\n`).join('');
  const packed = gzipSync(content);
  const [path] = write(temporaryFolder(t), {f: packed.subarray(0, packed.length - 9)}) as [string];
  const read: string[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const element of new FileSource({inputs: [path], split: 'lines'}).open()) read.push(show(element));
    },
    {instanceOf: SourceError},
  );
  t.is(error?.message, `Cannot read "${path}" at offset ${content.length} as its gzip content ends too early`);
  t.is(read.filter(shown => !shown.startsWith('--')).length, 19_999);
});

test('FileSource names a gzip file that is damaged', async t => {
  const packed = gzipSync('some text');
  packed[12]! ^= 0xff;
  const [path] = write(temporaryFolder(t), {f: packed}) as [string];
  await t.throwsAsync(read([path]), {
    instanceOf: SourceError,
    message: /^Cannot read ".*\/f" at offset \d+ as its gzip content is damaged$/,
  });
});

test('FileSource names files that cannot be read', async t => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'texts'));
  for (const [path, message] of [
    [join(folder, 'missing'), `Cannot read "${join(folder, 'missing')}" as it does not exist`],
    [
      join(folder, 'texts'),
      `Cannot read "${join(folder, 'texts')}" as it is a directory: give its files instead, for example "${join(folder, 'texts')}/**/*.txt"`,
    ],
  ] as const) {
    const error = await t.throwsAsync(read([path]), {instanceOf: SourceError});
    t.is(error?.message, message);
  }
});

(process.getuid?.() === 0 ? test.skip : test)('FileSource names a file it may not read', async t => {
  const [path] = write(temporaryFolder(t), {f: 'a'}) as [string];
  chmodSync(path, 0);
  const error = await t.throwsAsync(read([path]), {instanceOf: SourceError});
  t.is(error?.message, `Cannot read "${path}" as permission is denied`);
});

test('FileSource names the place where reading failed', async t => {
  const stream = new Readable({
    read() {
      this.push('abcd');
    },
  });
  const cause = Object.assign(new Error('i/o error'), {code: 'EIO'});
  const shown: string[] = [];
  const error = await t.throwsAsync(
    async () => {
      const source = new FileSource({inputs: ['-'], chunkBytes: 40_000, stdin: {stream}});
      for await (const element of source.open()) {
        shown.push(show(element));
        stream.destroy(cause);
      }
    },
    {instanceOf: SourceError},
  );
  t.true(shown.length >= 1);
  t.regex(error?.message ?? '', /^Cannot read "-" at offset \d+ as i\/o error$/);
  t.is(error?.cause, cause);
});

test('FileSource names a file whose device fails', async t => {
  const error = await t.throwsAsync(read(['/proc/self/mem'], {allowBinary: true}), {instanceOf: SourceError});
  t.is(error?.message, 'Cannot read "/proc/self/mem" as EIO: i/o error, read');
});

test('FileSource refuses what does not look like text unless told to read it', async t => {
  const folder = temporaryFolder(t);
  const [binary, utf16, packed] = write(folder, {
    binary: 'a\0b',
    utf16: Buffer.from('\ufeffabc', 'utf16le'),
    packed: gzipSync('a\0b'),
  }) as [string, string, string];
  for (const [path, what] of [
    [binary, 'a binary file: extract its text first, or allow binary content'],
    [packed, 'a binary file: extract its text first, or allow binary content'],
    [utf16, 'UTF-16 text: convert it to UTF-8 first'],
  ] as const) {
    const error = await t.throwsAsync(read([path]), {instanceOf: SourceError});
    t.is(error?.message, `Cannot read "${path}" as text as it looks like ${what}`);
  }
  t.deepEqual(await read([binary, packed], {allowBinary: true}), [
    'binary 2 "a\\u0000b" last',
    'packed 2 "a\\u0000b" last',
    '-- binary 3 ended, packed 3 ended',
  ]);
});

test('FileSource opens no more files than are read at once, and closes them', async t => {
  const folder = temporaryFolder(t);
  const inputs = write(folder, {a: 'aaa', b: gzipSync('b'), c: 'ccc', d: 'd', e: 'e'});
  const open: string[][] = [];
  for await (const _element of new FileSource({inputs, concurrency: 2, chunkBytes: 1}).open()) {
    open.push(openFiles(folder).sort());
  }
  t.true(open.every(files => files.length <= 2));
  t.deepEqual(open[0], ['a', 'b']);
  t.deepEqual(openFiles(folder), []);
});

test('FileSource closes its files when the stream is cancelled, aborted or fails', async t => {
  const folder = temporaryFolder(t);
  const inputs = write(folder, {a: 'aaa', 'b.gz': gzipSync('bbb'), c: 'c\0'});
  const source = new FileSource({inputs, concurrency: 2, chunkBytes: 1});
  const reason = new Error('enough');

  const cancelled = source.open().getReader();
  await cancelled.read();
  t.is(openFiles(folder).length, 2);
  await cancelled.cancel(reason);
  t.deepEqual(openFiles(folder), []);

  const controller = new AbortController();
  const aborted = source.open({signal: controller.signal}).getReader();
  await aborted.read();
  t.is(openFiles(folder).length, 2);
  controller.abort(reason);
  t.is(await t.throwsAsync(aborted.closed as unknown as Promise<void>), reason);
  t.deepEqual(openFiles(folder), []);

  await t.throwsAsync(readAll(new FileSource({inputs, concurrency: 3, chunkBytes: 1}).open()), {
    message: /binary file/,
  });
  t.deepEqual(openFiles(folder), []);
});

test('FileSource is not opened by an aborted signal', async t => {
  const folder = temporaryFolder(t);
  const reason = new Error('enough');
  const source = new FileSource({inputs: write(folder, {a: 'a'})});
  t.is(await t.throwsAsync(readAll(source.open({signal: AbortSignal.abort(reason)}))), reason);
  t.deepEqual(openFiles(folder), []);
});

for (const [name, start] of [
  ['standard input', Buffer.from('abc')],
  ['compressed standard input', gzipSync(Buffer.from('abc')).subarray(0, 15)],
  ['standard input that gives nothing', Buffer.from('')],
] as const) {
  test(`FileSource ends a read of ${name} that waits, when it is aborted or cancelled`, async t => {
    const reason = new Error('enough');
    for (const end of ['abort', 'cancel'] as const) {
      const stream = new PassThrough();
      stream.write(start);
      const controller = new AbortController();
      const source = new FileSource({inputs: ['-'], stdin: {stream}});
      const reader = source.open({signal: controller.signal}).getReader();
      if (name === 'standard input') await reader.read();
      const reading = reader.read().then(
        ({done}) => (done ? 'done' : 'record'),
        error => error,
      );
      await delay(20);
      if (end === 'abort') controller.abort(reason);
      else await reader.cancel(reason);
      t.is(await reading, end === 'abort' ? reason : 'done');
      t.true(stream.destroyed);
      await t.throwsAsync(readAll(source.open()), {
        instanceOf: SourceError,
        message: 'Cannot read standard input as it can be read only once: it has been read already',
      });
    }
  });
}

test('FileSource can be aborted at any moment while it opens standard input', async t => {
  const reason = new Error('enough');
  for (let ticks = 0; ticks < 20; ticks++) {
    const controller = new AbortController();
    const source = new FileSource({inputs: ['-'], stdin: {stream: new PassThrough()}});
    const reading = t.throwsAsync(source.open({signal: controller.signal}).getReader().read());
    for (let tick = 0; tick < ticks; tick++) await undefined;
    controller.abort(reason);
    t.is(await reading, reason);
  }
});

test('FileSource reads nothing before it is pulled and no further ahead than one byte of standard input', async t => {
  let given = 0;
  const stream = new Readable({
    highWaterMark: 1,
    read() {
      given++;
      this.push(Buffer.from('x'));
    },
  });
  const sink = new CollectSink<Line>();
  sink.stall();
  const controller = new AbortController();
  const source = new FileSource({inputs: ['-'], chunkBytes: 100, stdin: {stream}});
  const pulled = source.open();
  await delay(10);
  t.is(given, 0);
  await pulled.cancel();
  const run = Pipeline.from(source).to(sink, {signal: controller.signal, graceMs: 0});
  while (sink.arrived === 0) await delay(5);
  await delay(20);
  // One record of what came at once waits in the sink, and one byte in the Node.js stream.
  t.true(given <= 3, `${given}`);
  controller.abort(new Error('enough'));
  await t.throwsAsync(run, {message: 'enough'});
  sink.release();
});

test('FileSource reads a file no further ahead of a stalled sink than one piece', async t => {
  const folder = temporaryFolder(t);
  const piece = 64 * 1024;
  const [path] = write(folder, {f: 'a'.repeat(6 * piece)}) as [string];
  const sink = new CollectSink<Line>();
  sink.stall();
  const run = Pipeline.from(new FileSource({inputs: [path], chunkBytes: piece})).to(sink);
  while (sink.arrived === 0) await delay(5);
  const file = openSync(path, 'r+');
  writeSync(file, 'b'.repeat(6 * piece), 0);
  closeSync(file);
  sink.release();
  await run;
  const content = Buffer.concat(sink.values.map(value => value.content)).toString();
  // The chunk that waits in the sink, and the piece that showed it was not the last.
  t.is(content.indexOf('b'), 2 * piece);
  t.is(content.length, 6 * piece);
});

test('FileSource skips covered content of a plain file without reading it', async t => {
  const folder = temporaryFolder(t);
  const [path] = write(folder, {f: `${'a'.repeat(1_000_000)}b`}) as [string];
  const stream = new FileSource({inputs: [path]}).open({progress: progressOf(`file:${path}`, 1_000_000n, false)});
  t.deepEqual(await showAll(stream), ['f 1000000 "b" last', '-- f 1000001 ended']);
});

for (const [options, message] of [
  [{inputs: []}, 'Cannot read files as inputs must name at least one: it is empty'],
  [{inputs: ['a'], chunkBytes: 0}, 'Cannot read files as chunkBytes must be a positive integer: current value is 0'],
  [
    {inputs: ['a'], concurrency: 1.5},
    'Cannot read files as concurrency must be a positive integer: current value is 1.5',
  ],
  [
    {inputs: ['a'], maxLineBytes: -1},
    'Cannot read files as maxLineBytes must be a positive integer: current value is -1',
  ],
  [
    {inputs: ['a'], split: 'words'},
    'Cannot read files as split must be "chunks", "whole-lines" or "lines": current value is "words"',
  ],
] as const) {
  test(`FileSource says: ${message}`, t => {
    t.throws(() => new FileSource(options as unknown as FileSourceOptions), {message});
  });
}

test('FileSource reads many files at once without a warning of leaked listeners', async t => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const files = Object.fromEntries(Array.from({length: 40}, (_, i) => [`${i}.txt`, 'abcdef']));
  await read(write(temporaryFolder(t), files), {concurrency: 40, chunkBytes: 2});
  await delay(1);
  t.deepEqual(warnings, []);
});
