import {tf} from '../tf.ts';
import {flattenStructure} from './flatten-structure.ts';
import type {StructureTemplate} from './structure-template.ts';

/** Tensors of a structure, with a path for each and what puts them back in their places. */
export type FlatTensors = {
  readonly tensors: readonly tf.Tensor[];
  readonly paths: readonly string[];
  readonly template: StructureTemplate;
};

/** Takes a structure of tensors apart. Throws as {@link flattenStructure}. */
export function flattenTensors(structure: unknown): FlatTensors {
  const tensors: tf.Tensor[] = [];
  const paths: string[] = [];
  const template = flattenStructure(structure, {
    isLeaf: value => value instanceof tf.Tensor,
    add: (tensor, path) => {
      tensors.push(tensor);
      paths.push(path);
    },
    expected: 'tensors',
  });
  return {tensors, paths, template};
}
