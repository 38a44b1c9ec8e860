import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {exitCodes} from '../../cli/exit-codes.ts';
import {reportError} from '../../cli/report-error.ts';
import {StopRequest} from '../../cli/stop-signals.ts';

const program = fileURLToPath(new URL('./fail-and-fail-to-close.js', import.meta.url));

test('reportError says what failed, not that closing failed after it', t => {
  const {status, stderr} = spawnSync(process.execPath, [program], {encoding: 'utf8'});
  t.is(stderr, 'palimpsest: Cannot write the results\n');
  t.is(status, exitCodes.failed);
});

test('reportError gives the exit code of the signal when a run was stopped', t => {
  t.is(reportError(new StopRequest('SIGINT')), 130);
  t.is(reportError(new StopRequest('SIGTERM')), 143);
  t.is(reportError(new RangeError('Cannot embed as batch must be positive: current value is 0')), 2);
  t.is(reportError(new Error('failed')), 1);
});

test('reportError shows where an error of the program itself was thrown', t => {
  const path = JSON.stringify(new URL('../../cli/report-error.js', import.meta.url));
  const script = `import {reportError} from ${path}; process.exitCode = reportError(new TypeError('x is not a function'));`;
  const {status, stderr} = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {encoding: 'utf8'});
  t.regex(stderr, /^palimpsest: TypeError: x is not a function\n {4}at /);
  t.is(status, exitCodes.failed);
});
