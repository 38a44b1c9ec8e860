import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {bytesToRead} from '../../cli/bytes-to-read.ts';
import {filePartition} from '../../connectors/file-partition.ts';
import {SourceError} from '../../errors.ts';
import {temporaryFolder} from '../connectors/temporary-folder.ts';

test('bytesToRead adds up what is left of files, plain or gzip', async t => {
  const folder = temporaryFolder(t);
  const [plain, short, gzip] = ['plain', 'short', 'gzip'].map(name => join(folder, name)) as [string, string, string];
  writeFileSync(plain, 'a'.repeat(1000));
  writeFileSync(short, 'ab');
  writeFileSync(gzip, gzipSync('a'.repeat(5000)));
  t.is(await bytesToRead([plain, short, gzip], undefined), 6002);
  const partitions = new Map([
    [await filePartition(plain), {nextOffset: 400n, ended: false}],
    [await filePartition(gzip), {nextOffset: 5000n, ended: true}],
  ]);
  t.is(await bytesToRead([plain, short, gzip], {partitions, outputs: new Map()}), 602);
});

test('bytesToRead does not guess when an input does not tell', async t => {
  t.is(await bytesToRead(['-'], undefined), undefined);
  t.is(await bytesToRead(['/dev/null'], undefined), undefined);
  const pipe = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.is(await bytesToRead([pipe], undefined), undefined);
});

test('bytesToRead names the input that it cannot read', async t => {
  await t.throwsAsync(bytesToRead(['missing.txt'], undefined), {
    instanceOf: SourceError,
    message: 'Cannot read "missing.txt" as it does not exist',
  });
});
