import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import test from 'ava';
import {cacheFolder} from '../../../model/engine/cache-folder.ts';

test('cacheFolder follows PALIMPSEST_CACHE, then an absolute XDG_CACHE_HOME, then the home folder', t => {
  const {PALIMPSEST_CACHE, XDG_CACHE_HOME} = process.env;
  t.teardown(() =>
    Object.assign(process.env, {...(PALIMPSEST_CACHE && {PALIMPSEST_CACHE}), ...(XDG_CACHE_HOME && {XDG_CACHE_HOME})}),
  );
  process.env.PALIMPSEST_CACHE = 'own';
  process.env.XDG_CACHE_HOME = '/shared';
  t.is(cacheFolder(), resolve('own'));
  delete process.env.PALIMPSEST_CACHE;
  t.is(cacheFolder(), join('/shared', 'palimpsest'));
  process.env.XDG_CACHE_HOME = 'relative';
  t.is(cacheFolder(), join(homedir(), '.cache/palimpsest'));
  delete process.env.XDG_CACHE_HOME;
  t.is(cacheFolder(), join(homedir(), '.cache/palimpsest'));
});
