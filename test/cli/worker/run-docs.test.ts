import test from 'ava';
import {readConfig} from '../../../cli/config/read-config.ts';
import {checkWorkerConfig} from '../../../cli/worker/check-worker-config.ts';
import {workerFields} from '../../../cli/worker/worker-fields.ts';
import {markdownSnippets} from '../../markdown-snippets.ts';
import {readSource} from '../../source-files.ts';
import {WorkerBench, workerConfig} from './worker-bench.ts';

const page = readSource('docs/run.md');

/** Cells of the rows of all tables that begin with a name in code. */
function rows(): string[][] {
  return [...page.matchAll(/^\| `(?<name>[\w.]+)` +\|(?<rest>.*)\|$/gm)].map(({groups}) => [
    groups!.name!,
    ...groups!.rest!.split('|').map(cell => cell.trim()),
  ]);
}

test('docs/run.md lists all fields of a configuration with their defaults', t => {
  const expected = Object.entries(workerFields).map(([name, field]) => {
    const written = 'required' in field ? 'required' : 'default' in field ? `\`${field.default}\`` : '';
    return [name, written, field.about];
  });
  t.deepEqual(
    rows().filter(([name]) => !name!.startsWith('palimpsest_')),
    expected,
  );
});

test('docs/run.md lists all metrics with their labels', async t => {
  const bench = await WorkerBench.open();
  const running = bench.start(workerConfig());
  await running.stop();
  const metrics = await running.worker.metrics.registry.getMetricsAsJSON();
  const names = metrics.map(({name}) => name).filter(name => name.startsWith('palimpsest_'));
  const listed = rows().filter(([name]) => name!.startsWith('palimpsest_'));
  t.deepEqual(listed.map(([name]) => name).sort(), names.sort());
});

for (const [place, text] of [
  ['examples/worker.yaml', readSource('examples/worker.yaml')],
  ...markdownSnippets(page).flatMap(({language, text, line}) =>
    language === 'yaml' ? [[`docs/run.md, line ${line},`, text] as const] : [],
  ),
] as const) {
  test(`The configuration in ${place} is right`, t => {
    t.notThrows(() => readConfig(workerFields, {path: 'worker.yaml', text}, checkWorkerConfig));
  });
}
