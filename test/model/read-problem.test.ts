import {readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {readProblem} from '../../model/read-problem.ts';

const problemOf = (path: string) => readFile(path).then(String, readProblem);

test('readProblem() says why a file cannot be read', async t => {
  t.is(await problemOf(join(tmpdir(), 'no', 'such.json')), 'it does not exist');
  t.is(await problemOf(tmpdir()), 'it is a folder');
  t.is(readProblem(Object.assign(new Error('EACCES: permission denied'), {code: 'EACCES'})), 'permission is denied');
  t.is(readProblem(new Error('the disk is gone')), 'the disk is gone');
});
