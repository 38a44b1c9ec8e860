import * as tf from '@tensorflow/tfjs';
import {flattenStructure} from './flatten-structure.ts';
import type {StructureTemplate} from './structure-template.ts';

/**
 * Takes a structure of tensors apart.
 *
 * @param tensors The tensors are added to it, in order.
 */
export function flattenTensors(structure: unknown, tensors: tf.Tensor[]): StructureTemplate {
  return flattenStructure(structure, {
    isLeaf: value => value instanceof tf.Tensor,
    add: tensor => tensors.push(tensor),
    expected: 'tensors',
  });
}
