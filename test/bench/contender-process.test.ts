import test from 'ava';
import {benchCells} from '../../bench/bench-cell.ts';
import {ContenderProcess, type ContenderTask} from '../../bench/contender-process.ts';

const server = new URL('../../bench/serve-contender.js', import.meta.url);
const task: ContenderTask = {config: benchCells[0]!.config, batch: 3, precision: 'float32', threads: 1};

async function start(source: string): Promise<ContenderProcess> {
  return await ContenderProcess.start({
    name: 'test',
    command: [process.execPath, '--input-type=module', '--eval', source, '--'],
    task,
    env: process.env,
  });
}

const counting = `
  import {serveContender} from '${server}';
  const {batch} = JSON.parse(process.argv[1]);
  let steps = 0;
  await serveContender({
    description: 'batch ' + batch,
    step: async () => {
      if (++steps > 9) throw new Error('Ten steps are too many');
      await new Promise(resolve => setTimeout(resolve, 20));
    },
    product: async () => {},
  });
`;

test('ContenderProcess hands over its task and times what it asks for', async t => {
  await using contender = await start(counting);
  t.is(contender.description, 'batch 3');
  // Timers may be a millisecond early.
  t.true((await contender.runSteps(5)) >= 5 * 0.019);
  t.true((await contender.multiplyMatrices(2)) < 5 * 0.019);
});

test('ContenderProcess reports the end of a process with what it complained of', async t => {
  await using contender = await start(counting);
  await t.throwsAsync(contender.runSteps(10), {
    message: /Cannot measure "test" as its process ended with 1: [\s\S]*Ten steps are too many/,
  });
});

test('ContenderProcess reports a process that ends before it is ready', async t => {
  await t.throwsAsync(start('process.exit(3)'), {message: /"test" as its process ended with 3/});
});

test('ContenderProcess rejects when the program is not there', async t => {
  const command = ['/no/such/program'] as const;
  await t.throwsAsync(ContenderProcess.start({name: 'test', command: [...command], task, env: {}}), {code: 'ENOENT'});
});

test('ContenderProcess can be disposed of after it ended', async t => {
  const contender = await start(counting);
  await contender[Symbol.asyncDispose]();
  await t.notThrowsAsync(contender[Symbol.asyncDispose]());
});
