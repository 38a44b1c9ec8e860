import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {runCommand} from './run-command.ts';
import {sampleText} from './sample-text.ts';
import {startCommand} from './start-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'palimpsest-'));

const config = {
  name: 'sample',
  model: {
    segmentLength: 8,
    memoryLength: 8,
    compressedMemoryLength: 8,
    compressionRate: 2,
    compressor: 'convolution',
    layers: 1,
    heads: 2,
    modelWidth: 16,
    feedForwardWidth: 16,
  },
  steps: 60,
  batch: 2,
  learningRate: {peak: 0.01, warmUpSteps: 5},
  saveEvery: 7,
  logEvery: 5,
  validateEvery: 20,
  validationTokens: 64,
};

test.before(() => {
  mkdirSync(join(cwd, 'texts'));
  for (let n = 0; n < 5; n++) {
    const text = Buffer.from(sampleText(300 + 100 * n, n));
    writeFileSync(join(cwd, n === 2 ? `texts/${n}.gz` : `texts/${n}.txt`), n === 2 ? gzipSync(text) : text);
  }
  writeFileSync(join(cwd, 'held-out.txt'), sampleText(400, 99));
  writeFileSync(join(cwd, 'config.json'), JSON.stringify(config));
  writeFileSync(join(cwd, 'long.json'), JSON.stringify({...config, steps: 100_000}));
});

test.after.always(() => rmSync(cwd, {recursive: true, force: true}));

function train(out: string, args: readonly string[] = []): string[] {
  return [
    'train',
    '-d',
    'texts/*',
    '-v',
    'held-out.txt',
    '-c',
    'config.json',
    '-o',
    out,
    '--engine',
    'native',
    ...args,
  ];
}

function weights(out: string): Buffer {
  return readFileSync(join(cwd, out, 'last/model.safetensors'));
}

test.serial('palimpsest train goes on after kill -9 to the same bits', async t => {
  const whole = await runCommand(train('whole'), {cwd});
  t.is(whole.code, 0, whole.stderr);
  t.regex(whole.stderr, /Training on 5 documents of 0\.0 MB/);
  t.regex(whole.stderr, /step 60\/60: loss \d\.\d+, \d\.\d+ bits per byte, .* tokens\/s, epoch \d\.\d+/);
  t.regex(whole.stderr, /Trained 60 steps, [\d,]+ tokens, best validation \d\.\d+ bits per byte: whole\n$/);
  for (const step of [10, 30, 45]) {
    const running = startCommand(train('killed', ['--resume']), {cwd});
    await running.says(`step ${step}/60`);
    running.process.kill('SIGKILL');
    t.is((await running.ended).signal, 'SIGKILL');
  }
  const last = await runCommand(train('killed', ['--resume']), {cwd});
  t.is(last.code, 0, last.stderr);
  t.deepEqual(weights('killed'), weights('whole'));
});

test.serial('palimpsest train saves on SIGINT and says how to go on', async t => {
  const running = startCommand(
    train('stopped').map(arg => (arg === 'config.json' ? 'long.json' : arg)),
    {cwd},
  );
  await running.says('step 15/');
  running.process.kill('SIGINT');
  const {code, stderr} = await running.ended;
  t.is(code, 130, stderr);
  t.regex(stderr, /Stopped by SIGINT; --resume goes on from the last save in "stopped"\n$/);
  const again = startCommand(
    train('stopped', ['--resume']).map(arg => (arg === 'config.json' ? 'long.json' : arg)),
    {cwd},
  );
  await again.says('tokens/s');
  again.process.kill('SIGTERM');
  t.is((await again.ended).code, 143);
});

test.serial('palimpsest train makes a model that palimpsest embed reads with', async t => {
  t.true(existsSync(join(cwd, 'whole/best/config.json')));
  const {code, stdout, stderr} = await runCommand(['embed', '-m', 'whole/best', '--engine', 'native', 'held-out.txt'], {
    cwd,
  });
  t.is(code, 0, stderr);
  t.notRegex(stderr, /untrained/);
  t.true(stdout.length > 0);
});

test.serial('palimpsest train leaves the last save when the disk is full', async t => {
  const model = {...config.model, modelWidth: 64};
  writeFileSync(join(cwd, 'wide.json'), JSON.stringify({...config, model, saveEvery: 1, steps: 1000}));
  const args = train('full', ['--resume']).map(arg => (arg === 'config.json' ? 'wide.json' : arg));
  const running = startCommand(args, {cwd});
  await running.says('step 5/');
  running.process.kill('SIGINT');
  t.is((await running.ended).code, 130);
  const before = readFileSync(join(cwd, 'full/training.safetensors'));
  // A limit on the size of files, in KiB: the state does not fit, the compiled step does.
  const within = ['bash', '-c', 'trap "" XFSZ; ulimit -f 500; exec "$@"', 'bash'];
  const {code, stderr} = await runCommand(args, {cwd, within});
  t.is(code, 1, stderr);
  t.regex(stderr, /palimpsest: Cannot write "full\/training\.safetensors" as .*EFBIG/);
  t.deepEqual(readFileSync(join(cwd, 'full/training.safetensors')), before);
});

for (const [title, content, message] of [
  [
    'an empty file',
    Buffer.alloc(0),
    /Cannot use "bad\.txt" as a document must have at least 16 bytes of text: it is empty; leave it out/,
  ],
  ['a tiny file', Buffer.from('Hello'), /at least 16 bytes of text: current value is 5; leave it out/],
  [
    'a binary file',
    Buffer.from([...Array(100).keys()]),
    /Cannot read "bad\.txt" as text as it looks like a binary file/,
  ],
] as const) {
  test.serial(`palimpsest train refuses ${title}`, async t => {
    writeFileSync(join(cwd, 'bad.txt'), content);
    const {code, stderr} = await runCommand(['train', '-d', 'bad.txt', '-c', 'config.json', '-o', 'none'], {cwd});
    t.is(code, 1, stderr);
    t.regex(stderr, message);
    t.false(existsSync(join(cwd, 'none')));
  });
}

test.serial('palimpsest train refuses an impossible configuration', async t => {
  for (const [changes, code, message] of [
    [{steps: 0}, 2, /steps must be a whole number, at least 1: current value is 0/],
    [{stepz: 1}, 2, /must have no other fields than .*: current value is "stepz"/],
    [{model: {...config.model, heads: 3}}, 2, /modelWidth must be divisible by heads \(3\): current value is 16/],
    [
      {compressionLoss: 'none'},
      2,
      /compressor "convolution" has weights, which "attention-reconstruction" or another loss must train/,
    ],
    [{model: 'missing'}, 1, /Cannot read model ".*missing" as it must be a folder/],
  ] as const) {
    writeFileSync(join(cwd, 'wrong.json'), JSON.stringify({...config, ...changes}));
    const result = await runCommand(['train', '-d', 'texts/*', '-c', 'wrong.json', '-o', 'none'], {cwd});
    t.is(result.code, code, result.stderr);
    t.regex(result.stderr, message);
  }
  writeFileSync(join(cwd, 'wrong.json'), '{');
  t.regex(
    (await runCommand(['train', '-d', 'texts/*', '-c', 'wrong.json', '-o', 'none'], {cwd})).stderr,
    /must be JSON/,
  );
});

test.serial('palimpsest evaluate measures a model and writes figures and a picture', async t => {
  const args = [
    'evaluate',
    '-m',
    'whole/last',
    '-d',
    'held-out.txt',
    'texts/1.txt',
    '-f',
    'texts/*',
    '-o',
    'figures.json',
  ];
  const {code, stdout, stderr} = await runCommand([...args, '--engine', 'native', '--precision', 'auto'], {cwd});
  t.is(code, 0, stderr);
  t.regex(stdout, /^document .*bits per byte {2}perplexity per word\nheld-out\.txt +400 +400 /);
  t.regex(stdout, /\nall +800 +800 /);
  t.regex(stdout, /\nattention of layer +segment +memory +compressed memory\n0 +\d+\.\d %/);
  const figures = JSON.parse(readFileSync(join(cwd, 'figures.json'), 'utf8')) as {
    total: {bytes: number};
    precision: string;
  };
  t.is(figures.total.bytes, 800);
  t.regex(figures.precision, /^(float32|bfloat16)$/);
  t.regex(readFileSync(join(cwd, 'figures.svg'), 'utf8'), /^<svg /);
});

test.serial('palimpsest evaluate refuses what it cannot use', async t => {
  const wrong = await runCommand(['evaluate', '-m', 'whole/last', '-d', 'held-out.txt', '-o', 'figures.txt'], {cwd});
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /--out must name a file that ends in \.json: current value is "figures\.txt"/);
  const missing = await runCommand(['evaluate', '-m', 'nowhere', '-d', 'held-out.txt'], {cwd});
  t.is(missing.code, 1);
  t.regex(missing.stderr, /Cannot read model "nowhere" as it must be a folder/);
});
