import test from 'ava';
import {benchCells} from '../../bench/bench-cell.ts';
import {hasBfloat16} from '../../bench/has-bfloat16.ts';
import {openEngine} from '../../model/engine/engine.ts';
import {LocalModel} from '../../model/local-model.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {initialiseWeights} from '../../model/weights/initialise-weights.ts';
import {seededRandom} from '../operators/seeded-random.ts';

test.serial.before(async () => {
  await openEngine('native');
});

/** Sizes of the benchmark, of which two layers show what six do. */
const config = (configuration: string): ModelConfig => ({
  ...benchCells.find(cell => cell.configuration === configuration)!.config,
  layers: 2,
  vocabularySize: 512,
});

const cases = [
  // Segments fill all memories: after 10 in B, after 2 in A. Padded batches: 3 of 4, 11 of 16.
  {configuration: 'A', documents: 3, segments: 4},
  {configuration: 'B', documents: 11, segments: 12},
] as const;

for (const precision of hasBfloat16() ? (['float32', 'bfloat16'] as const) : (['float32'] as const)) {
  for (const {configuration, documents, segments} of cases) {
    test.serial(
      `LocalModel gives a document the same bits alone and in padded batches of any ages: sizes of ${configuration} in ${precision}`,
      async t => {
        const sizes = config(configuration);
        const {segmentLength: n, vocabularySize} = sizes;
        await using model = new LocalModel({
          name: 'sizes',
          fingerprint: '',
          config: sizes,
          weights: initialiseWeights(sizes, 1),
          precision,
        });
        const random = seededRandom(1);
        const tokens = (length: number) => Int32Array.from({length}, () => Math.floor(random() * vocabularySize));
        const watched = Array.from({length: segments}, () => tokens(n));
        // Fewer tokens than a segment has: they see nothing of what fills it up.
        const rest = watched.at(-1)!.subarray(0, n - 13);
        for (const [step, segment] of watched.entries()) {
          const alone = (await model.step([{memory: 'alone', tokens: segment}]))[0]!;
          const others = Array.from({length: step === 0 ? 0 : documents - 1}, (_, other) => ({
            memory: `other ${other}`,
            tokens: tokens(n),
          }));
          // In the midst of documents that began later, some of which end now.
          const rows = others.toSpliced(documents >> 1, 0, {memory: 'together', tokens: segment});
          const beside = (await model.step(rows))[rows.findIndex(({memory}) => memory === 'together')]!;
          t.deepEqual(beside, alone, `step ${step}`);
          if (step % 3 === 2) await model.release(others.slice(0, 2).map(({memory}) => memory));
        }
        const [alone, together] = await model.snapshot(['alone', 'together']);
        t.deepEqual(together, alone);
        t.is(alone!.compressedMemoryCount, sizes.compressedMemoryLength);
        const [whole] = await model.step([{memory: 'alone', tokens: watched.at(-1)!}]);
        const [part] = await model.step([{memory: 'together', tokens: rest}]);
        t.deepEqual(part!.surprisal, whole!.surprisal.subarray(0, rest.length));
      },
    );
  }
}
