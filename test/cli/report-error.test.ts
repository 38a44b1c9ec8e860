import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {exitCodes} from '../../cli/exit-codes.ts';

const program = fileURLToPath(new URL('./fail-and-fail-to-close.js', import.meta.url));

test('reportError says what failed, not that closing failed after it', t => {
  const {status, stderr} = spawnSync(process.execPath, [program], {encoding: 'utf8'});
  t.is(stderr, 'palimpsest: Cannot write the results\n');
  t.is(status, exitCodes.failed);
});
