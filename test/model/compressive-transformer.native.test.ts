import test from 'ava';
import {fusedKernels} from '../../model/kernels/fused-kernels.ts';
import {testAgainstReference} from './against-reference.ts';

testAgainstReference(test, 'native');
testAgainstReference(test, 'native', {fused: false});

test.serial('The native engine that palimpsest installs has the fused kernels', t => {
  t.not(fusedKernels(), undefined);
});
