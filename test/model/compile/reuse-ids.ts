import * as tf from '@tensorflow/tfjs';
import type {NativeBackend, NativeBinding, TensorMetadata} from '../../../model/compile/native-backend.ts';

type Binding = NativeBinding & {createTensor(...given: unknown[]): number};

/** More than any that the addon gives out in a test. */
const firstId = 2 ** 30;

/** Lets the addon give each new tensor the lowest id that is free, as if ids had begun anew. */
export function reuseIds(): Disposable {
  const backend = tf.backend() as unknown as NativeBackend & {binding: Binding};
  const {binding} = backend;
  const given = new Map<number, number>();
  const give = (id: number): number => {
    let free = firstId;
    while (given.has(free)) free++;
    given.set(free, id);
    return free;
  };
  const real = (id: number) => given.get(id) ?? id;
  const giveAll = (outputs: TensorMetadata[]) => outputs.map(output => ({...output, id: give(output.id)}));
  const reusing: Pick<Binding, 'createTensor' | 'deleteTensor' | 'tensorDataSync' | 'executeOp' | 'runSavedModel'> = {
    createTensor: (...args) => give(binding.createTensor(...args)),
    deleteTensor: id => {
      binding.deleteTensor(real(id));
      given.delete(id);
    },
    tensorDataSync: id => binding.tensorDataSync(real(id)),
    executeOp: (name, attributes, inputs, outputs) =>
      giveAll(binding.executeOp(name, attributes, inputs.map(real), outputs)),
    runSavedModel: (session, inputs, ...names) => giveAll(binding.runSavedModel(session, inputs.map(real), ...names)),
  };
  // The addon's own object cannot be changed.
  backend.binding = Object.create(binding, Object.getOwnPropertyDescriptors(reusing));
  return {
    [Symbol.dispose]: () => {
      backend.binding = binding;
    },
  };
}
