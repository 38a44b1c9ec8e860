import test from 'ava';
import {testAgainstReference} from './against-reference.ts';

testAgainstReference(test, 'wasm');
