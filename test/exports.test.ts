import {dirname, join} from 'node:path';
import test from 'ava';
import {readSource, sourceFiles} from './source-files.ts';
import {sourceImports} from './source-imports.ts';

const manifest = JSON.parse(readSource('package.json')) as {
  readonly exports: Readonly<Record<string, {readonly types: string; readonly default: string} | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};
const doors = Object.entries(manifest.exports).flatMap(([door, target]) =>
  typeof target === 'string' ? [] : [{door, ...target}],
);

/** Classes that no door gives out, because only their own folder uses them. */
const INTERNAL = new Set([
  'connectors/disk-reader.ts',
  'connectors/gunzip-reader.ts',
  'connectors/input-buffer.ts',
  'connectors/kafka/changelog.ts',
  'connectors/kafka/kafka-dead-letters.ts',
  'connectors/kafka/kafkajs-member.ts',
  'connectors/kafka/kafkajs-producer.ts',
  'connectors/kafka/kafkajs-reader.ts',
  'connectors/kafka/kafkajs-topics.ts',
  'connectors/kafka/partition-sink.ts',
  'connectors/kafka/partition-source.ts',
  'connectors/kafka/partition-task.ts',
  'connectors/kafka/partition-writer.ts',
  'connectors/kafka/replicated-store.ts',
  'connectors/kafka/reused-buffer.ts',
  'connectors/open-input.ts',
  'connectors/output-file.ts',
  'connectors/stream-reader.ts',
  'memory-store/commit-queue.ts',
  'memory-store/lent-buffers.ts',
  'memory-store/lmdb/lmdb-tables.ts',
  'memory-store/lmdb/store-access.ts',
  'memory-store/lmdb/writer-claim.ts',
  'memory-store/lock-file.ts',
  'model/compile/compiled-graph.ts',
  'model/compile/graph-cache.ts',
  'model/compile/graph-recorder.ts',
  'model/compile/graph-session.ts',
  'model/compile/recorded-variables.ts',
  'model/open-memories.ts',
  'model/step-sizes.ts',
  'model/weights/random-normals.ts',
  'operators/batch-planner.ts',
  'operators/document-ends.ts',
  'operators/document-expiry.ts',
  'operators/document-table.ts',
  'operators/quiet-documents.ts',
  'operators/field-path.ts',
  'operators/open-document.ts',
  'operators/running-summary.ts',
  'operators/segment-reader.ts',
  'operators/token-buffer.ts',
  'training/documents/corpus-rows.ts',
  'training/documents/document-tokens.ts',
  'training/documents/gutenberg-markers.ts',
  'training/dropout.ts',
  'training/evaluation/word-pieces.ts',
  'training/kernels/tensorflow-operations.ts',
  'training/learned-tensors.ts',
  'training/micro-batch.ts',
  'training/trainer.ts',
  'training/training-folder.ts',
  'training/training-log.ts',
  'training/training-window.ts',
  'training/retrieval/excerpt-features-cache.ts',
  'training/retrieval/sparse-rows.ts',
  'training/tokenizer/pair-queue.ts',
  'training/tokenizer/piece-counter.ts',
]);

test('Doors are found in package.json', t => {
  t.true(doors.length >= 8);
});

for (const {door, types, default: path} of doors) {
  const specifier = `palimpsest${door.slice(1)}`;
  const index = path.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');
  const folder = dirname(index);

  test(`Door ${specifier} exports named things, all of them defined`, async t => {
    const exported = (await import(specifier)) as Record<string, unknown>;
    t.true(Object.keys(exported).length > 0);
    t.false('default' in exported);
    for (const [name, value] of Object.entries(exported)) t.not(value, undefined, name);
    t.is(types, path.replace(/\.js$/, '.d.ts'));
    t.notRegex(readSource(index), /^export \*/m);
  });

  test(`Door ${specifier} has types that need no package that is not installed with it`, t => {
    t.deepEqual(
      [...packagesOfTypes(types)].filter(name => !name.startsWith('node:') && !(name in manifest.dependencies)),
      [],
    );
  });

  if (folder === '.' || folder === 'test') continue;

  test(`Door ${specifier} exports every class of its folder that is not internal`, async t => {
    const exported = (await import(specifier)) as Record<string, unknown>;
    const missing = sourceFiles()
      .filter(file => file.startsWith(`${folder}/`) && !INTERNAL.has(file))
      .flatMap(file => {
        if (doors.some(({default: other}) => other.includes(`/${dirname(file)}/`) && other !== path)) return [];
        const classes = readSource(file).matchAll(/^export (?:abstract )?class (?<name>\w+)/gm);
        return [...classes]
          .filter(({groups}) => !(groups!.name! in exported))
          .map(({groups}) => `${groups!.name} of ${file}`);
      });
    t.deepEqual(missing, []);
  });
}

test('Internal classes exist', t => {
  const files = sourceFiles();
  t.deepEqual(
    [...INTERNAL].filter(file => !files.includes(file)),
    [],
  );
});

/** What the declarations import that a door's declarations lead to. */
function packagesOfTypes(door: string): Set<string> {
  const packages = new Set<string>();
  const paths = new Set([door]);
  for (const path of paths) {
    for (const {specifier} of sourceImports(readSource(path))) {
      if (specifier.startsWith('.')) paths.add(join(dirname(path), specifier).replace(/\.[jt]s$/, '.d.ts'));
      else packages.add(specifier);
    }
  }
  return packages;
}
