import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {runModule} from './run-module.ts';

const source = (path: string) => new URL(`../../../model/${path}.js`, import.meta.url).href;

/**
 * Multiplies on the main thread for a while, by TensorFlow's own products, with a handler of signals. What is written beside the products'
 * buffers meets others of many sizes.
 */
const script = `
  import {openEngine} from '${source('engine/engine')}';
  let signals = 0;
  process.on('SIGUSR2', () => signals++);
  const {tf} = await openEngine('native');
  process.stdout.write('ready\\n');
  for (let round = 0; round < 40; round++) {
    tf.tidy(() => {
      for (const rows of [8, 16, 56, 72]) {
        for (const columns of [64, 192, 576, 2048]) {
          const product = tf.matMul(tf.ones([rows, 256]), tf.ones([256, columns])).dataSync();
          if (product[0] !== 256 || product.at(-1) !== 256) throw new Error('wrong');
        }
      }
    });
    await new Promise(setImmediate);
  }
  process.stdout.write(signals > 0 ? 'had signals\\n' : 'had none\\n');
  process.stdin.resume();`;

type RunOptions = {
  readonly options?: readonly string[];
  /** Comes every millisecond between the two lines that the script writes. */
  readonly signal?: NodeJS.Signals;
};

async function run({options = [], signal}: RunOptions): Promise<{text: string; code: unknown; endedBy: unknown}> {
  const args = [...options, '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, {stdio: ['pipe', 'pipe', 'inherit']});
  let timer: NodeJS.Timeout | undefined;
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text === 'ready\n' && signal !== undefined) timer = setInterval(() => child.kill(signal), 1);
    if (!text.includes('had')) return;
    clearInterval(timer);
    child.stdin.end();
  });
  const [code, endedBy] = await once(child, 'close');
  clearInterval(timer);
  return {text, code, endedBy};
}

test('Signals that come while TensorFlow multiplies leave its memory alone', async t => {
  t.deepEqual(await run({signal: 'SIGUSR2'}), {text: 'ready\nhad signals\n', code: 0, endedBy: null});
});

test('A profile may be taken while TensorFlow multiplies', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const options = ['--cpu-prof', '--cpu-prof-interval', '100', '--cpu-prof-dir', folder];
  t.deepEqual(await run({options}), {text: 'ready\nhad none\n', code: 0, endedBy: null});
});

test('Threads that TensorFlow computes on take no signals, and others do', async t => {
  const {stdout, stderr} = await runModule(`
    import {readdirSync, readFileSync} from 'node:fs';
    import {compile} from '${source('compile/compile')}';
    import {openEngine} from '${source('engine/engine')}';
    const {tf} = await openEngine('native');
    const x = tf.ones([72, 256]);
    compile(({x}) => ({product: tf.matMul(x, x, false, true)}), {inputs: {x}})({x}).product.dataSync();
    const field = (thread, name) => {
      const status = readFileSync('/proc/self/task/' + thread + '/status', 'utf8');
      return new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(status)[1];
    };
    const threads = readdirSync('/proc/self/task').map(thread => [field(thread, 'Name'), field(thread, 'SigBlk')]);
    console.log(JSON.stringify(threads));`);
  t.is(stderr, '');
  const threads = JSON.parse(stdout) as [name: string, blocked: string][];
  const blocks = (mask: string, number: number) => (BigInt(`0x${mask}`) & (1n << BigInt(number - 1))) !== 0n;
  const [interrupt, segmentation, terminate] = [2, 11, 15];
  const computing = threads.filter(([name]) => name === 'tf_Compute');
  // One pool for single operations, and one for graphs.
  t.true(computing.length >= 2, stdout);
  for (const [, mask] of computing) {
    t.true(blocks(mask, interrupt) && blocks(mask, terminate), mask);
    t.false(blocks(mask, segmentation), mask);
  }
  t.true(threads.some(([, mask]) => !blocks(mask, interrupt) && !blocks(mask, terminate)));
});
