import {spawn} from 'node:child_process';
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/**
 * Runs the test of exactly-once for many seeds, each in a process and with brokers of its own:
 * `node dist/test/integration/run-seeds.js FOLDER FIRST LAST`. The folder gets a log of each seed; seeds that have passed there
 * are not run again, so a run that was stopped goes on. `KAFKA_VERSION` chooses the brokers.
 */
const [folder = 'seeds', first = '1', last = '50'] = process.argv.slice(2);
const {KAFKA_VERSION: version = '4.3.1'} = process.env;

await mkdir(folder, {recursive: true});
const failed: number[] = [];
let passed = 0;
for (let seed = Number(first); seed <= Number(last); seed++) {
  const log = join(folder, `kafka-${version}-seed-${seed}.log`);
  let text = await readFile(log, 'utf8').catch(() => '');
  const known = hasPassed(text);
  if (!known) {
    text = await run(seed);
    await writeFile(`${log}.part`, text);
    await rename(`${log}.part`, log);
  }
  if (hasPassed(text)) passed++;
  else failed.push(seed);
  const [faults = ''] = /\d+ faults on the wire.*/.exec(text) ?? [];
  console.log(
    `seed ${seed}: ${hasPassed(text) ? 'passed' : `failed, see ${log}`}${known ? ' earlier' : ''}; ${faults}`,
  );
}
console.log(
  `Kafka ${version}: ${passed} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join()}` : ''}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function hasPassed(text: string): boolean {
  return /^ *1 test passed$/m.test(text);
}

async function run(seed: number): Promise<string> {
  const env = {...process.env, PALIMPSEST_SEED: String(seed), KAFKA_VERSION: version};
  const child = spawn('npx', ['ava', '--config', 'ava.seeds.config.js'], {env});
  let text = `${new Date().toISOString()}\n`;
  for (const output of [child.stdout, child.stderr]) output.on('data', data => (text += String(data)));
  await new Promise(resolve => child.on('close', resolve));
  return text;
}
