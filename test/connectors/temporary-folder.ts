import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

/** A folder that is removed when the test has ended. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}
