import test from 'ava';
import {syntheticLog} from '../../examples/synthetic-log.ts';

test('syntheticLog gives the same log for the same seed and another for another', t => {
  t.deepEqual(syntheticLog({seed: 5}), syntheticLog({seed: 5}));
  t.not(syntheticLog({seed: 5}).text, syntheticLog({seed: 6}).text);
});

test('syntheticLog writes syslog lines of invented hosts in order of time', t => {
  for (const lines of [60, 300, 1000]) {
    const log = syntheticLog({lines}).text.split('\n');
    t.is(log.pop(), '');
    t.is(log.length, lines);
    let time = 0;
    for (const line of log) {
      t.regex(line, /^Mar {1,2}\d+ \d\d:\d\d:\d\d (web1|web2|db1|mail1)\.example\.org [\w/-]+(\[\d+\])?: \S/);
      const now = Date.parse(`${line.slice(0, 15)} 2024 UTC`);
      t.true(now > time);
      time = now;
      for (const [address] of line.matchAll(/\d+\.\d+\.\d+\.\d+/g)) t.regex(address, /^192\.0\.2\.\d+$/);
    }
  }
});

test('syntheticLog has its anomalies where it says, in the last half, and nowhere else', t => {
  const unusual = /Failed password|I\/O error|Input\/output error|Out of memory|code=killed/;
  for (const lines of [60, 61, 300]) {
    for (let seed = 0; seed < 20; seed++) {
      const {text, anomalies} = syntheticLog({lines, seed});
      t.is(anomalies.length, 3);
      const told = new Set<number>();
      for (const {host, firstLine, lastLine} of anomalies) {
        t.true(firstLine > Math.floor(lines / 2) && lastLine <= lines && lastLine - firstLine >= 4);
        for (let number = firstLine; number <= lastLine; number++) {
          told.add(number);
          t.is(text.split('\n')[number - 1]?.split(/\s+/)[3], host);
        }
      }
      const found = text.split('\n').flatMap((line, index) => (unusual.test(line) ? [index + 1] : []));
      t.deepEqual(found, [...told]);
    }
  }
});

test('syntheticLog refuses invalid options', t => {
  for (const lines of [59, 60.5]) t.throws(() => syntheticLog({lines}), {instanceOf: RangeError, message: /lines/});
  t.throws(() => syntheticLog({seed: 0.5}), {instanceOf: RangeError, message: /seed/});
});
