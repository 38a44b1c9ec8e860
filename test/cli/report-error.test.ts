import test from 'ava';
import {reportError} from '../../cli/report-error.ts';
import {StopRequest} from '../../cli/stop-signals.ts';

test('reportError gives the exit code of the signal when a run was stopped', t => {
  t.is(reportError(new StopRequest('SIGINT')), 130);
  t.is(reportError(new StopRequest('SIGTERM')), 143);
  t.is(reportError(new RangeError('wrong')), 2);
  t.is(reportError(new Error('failed')), 1);
});
