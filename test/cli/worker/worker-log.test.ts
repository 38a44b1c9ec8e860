import test from 'ava';
import {workerLog} from '../../../cli/worker/worker-log.ts';

function logged(format: 'auto' | 'json' | 'text', {isTTY = false} = {}): string {
  let text = '';
  const log = workerLog({level: 'info', format, stream: {isTTY, write: line => (text += line)}});
  log.debug('too small');
  log.info({topic: 'in', partition: 3, offset: 2n ** 60n, document: 'a "b"'}, 'committed');
  return text;
}

test('workerLog writes a line of JSON for each entry where nobody reads it', t => {
  for (const text of [logged('json', {isTTY: true}), logged('auto')]) {
    const {time, pid, ...entry} = JSON.parse(text);
    t.true(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    t.is(pid, process.pid);
    t.like(entry, {level: 'info', msg: 'committed', topic: 'in', partition: 3, document: 'a "b"'});
    t.regex(text, /"offset":1152921504606846976[,}]/);
  }
});

test('workerLog writes lines to read on a terminal', t => {
  for (const text of [logged('text'), logged('auto', {isTTY: true})]) {
    t.regex(text, /^\d\d:\d\d:\d\d\.\d{3} INFO {2}committed topic=in partition=3 offset=\d+ document="a \\"b\\""\n$/);
  }
});

test('workerLog writes where an error that nobody expected came from', t => {
  let text = '';
  const log = workerLog({level: 'info', format: 'text', stream: {write: line => (text += line)}});
  log.error({err: new Error('broken')}, 'broken');
  t.regex(text, /ERROR broken\nError: broken\n {4}at /);
});
