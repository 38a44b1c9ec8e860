import {readFile} from 'node:fs/promises';
import type {TensorData} from '../../model/memory-snapshot.ts';
import type {ModelConfig} from '../../model/model-config.ts';
import {readSafetensors} from '../../model/weights/read-safetensors.ts';

const folder = new URL('../../../test/fixtures/', import.meta.url);

/** What the float64 reference gave for one step of one document. */
export type FixtureStep = {
  readonly tokens: Int32Array;
  readonly memoryCount: number;
  readonly compressedMemoryCount: number;
  /** Values of a tensor named in test/reference/README.md; `undefined` if the step has none. */
  readonly expected: (name: string) => {readonly shape: readonly number[]; readonly data: Float64Array} | undefined;
};

/** Weights, inputs and outputs that test/reference/make_fixtures.py stored. */
export type Fixture = {
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly documents: readonly (readonly FixtureStep[])[];
};

type Description = {
  readonly config: ModelConfig;
  readonly documents: {steps: {memoryCount: number; compressedMemoryCount: number}[]}[];
};

export async function readFixture(name: string): Promise<Fixture> {
  const description = JSON.parse(await readFile(new URL(`${name}.json`, folder), 'utf8')) as Description;
  const {tensors} = await readSafetensors(new URL(`${name}.safetensors`, folder).pathname);
  const prefix = 'weights.';
  const weights = new Map<string, TensorData>();
  for (const [key, tensor] of tensors) {
    if (key.startsWith(prefix)) weights.set(key.slice(prefix.length), tensor as TensorData);
  }
  return {
    config: description.config,
    weights,
    documents: description.documents.map(({steps}, document) =>
      steps.map(({memoryCount, compressedMemoryCount}, step) => {
        const expected = (tensor: string) =>
          tensors.get(`documents.${document}.steps.${step}.${tensor}`) as
            | {shape: readonly number[]; data: Float64Array}
            | undefined;
        return {
          tokens: tensors.get(`documents.${document}.steps.${step}.tokens`)!.data as Int32Array,
          memoryCount,
          compressedMemoryCount,
          expected,
        };
      }),
    ),
  };
}
