import test from 'ava';
import {commitErrorsUnprinted} from '../../../memory-store/lmdb/commit-errors-unprinted.ts';

test('commitErrorsUnprinted keeps back what lmdb prints of a commit, and nothing else', async t => {
  const printed: unknown[][] = [];
  const print = (...values: unknown[]) => printed.push(values);
  const original = console.error;
  t.teardown(() => {
    console.error = original;
  });
  console.error = print;
  const fromLmdb = Object.assign(new Error('Input/output error'), {code: 5});
  const fromNode = Object.assign(new Error('Not there'), {code: 'ENOENT'});
  const commit = async (): Promise<void> => {
    console.error(fromLmdb);
    console.error(fromNode);
    console.error('Careful', fromLmdb);
    throw fromLmdb;
  };
  const commits = [1, 2].map(() => t.throwsAsync(commitErrorsUnprinted(commit), {is: fromLmdb}));
  await Promise.all(commits);
  t.deepEqual(printed, [[fromNode], ['Careful', fromLmdb], [fromNode], ['Careful', fromLmdb]]);
  t.is(console.error, print as typeof console.error);
});
