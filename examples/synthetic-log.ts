/** A run of log lines that normal traffic does not have; lines are counted from 1. */
export type Anomaly = {
  readonly kind: string;
  readonly host: string;
  readonly firstLine: number;
  readonly lastLine: number;
};

export type SyntheticLogOptions = {
  /** Lines in all. @default 300 */
  readonly lines?: number;
  /** The same seed gives the same log. @default 1 */
  readonly seed?: number;
};

type Draw = {
  readonly below: (end: number) => number;
  readonly oneOf: <T>(items: readonly T[]) => T;
};

const START = Date.UTC(2024, 2, 4, 6);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HOSTS = ['web1', 'web2', 'db1', 'mail1'].map(name => `${name}.example.org`);
const USERS = ['deploy', 'backup', 'alice', 'bob'];
const PAGES = ['/', '/index.html', '/search?q=tides', '/login', '/static/site.css', '/api/items/17'];

const address = ({below}: Draw) => `192.0.2.${10 + below(40)}`;
const pid = ({below}: Draw) => 1000 + below(9000);

const everywhere: readonly ((draw: Draw) => string)[] = [
  draw =>
    `sshd[${pid(draw)}]: Accepted publickey for ${draw.oneOf(USERS)} from ${address(draw)} port ${50000 + draw.below(9000)} ssh2`,
  draw => `CRON[${pid(draw)}]: (root) CMD (/usr/lib/sysstat/debian-sa1 1 1)`,
  draw => `systemd[1]: Started Session ${100 + draw.below(800)} of user ${draw.oneOf(USERS)}.`,
  () => 'systemd[1]: Starting Daily apt download activities...',
];

const byRole: Readonly<Record<string, readonly ((draw: Draw) => string)[]>> = {
  web: [
    draw => `nginx[812]: ${address(draw)} "GET ${draw.oneOf(PAGES)} HTTP/1.1" 200 ${200 + draw.below(30000)}`,
    draw => `nginx[812]: ${address(draw)} "GET ${draw.oneOf(PAGES)} HTTP/1.1" 304 0`,
    draw => `nginx[812]: ${address(draw)} "POST /login HTTP/1.1" 302 154`,
  ],
  db: [
    draw => `postgres[640]: checkpoint complete: wrote ${20 + draw.below(400)} buffers`,
    draw => `postgres[640]: automatic vacuum of table "shop.public.items": pages: ${draw.below(9)} removed`,
  ],
  mail: [
    draw => `postfix/smtpd[${pid(draw)}]: connect from client${draw.below(20)}.example.org[${address(draw)}]`,
    draw => `postfix/qmgr[701]: ${(0xa0000 + draw.below(0x50000)).toString(16).toUpperCase()}: removed`,
  ],
};

const anomalies: readonly {kind: string; host: string; line: (draw: Draw, index: number) => string}[] = [
  {
    kind: 'password guessing',
    host: 'web2.example.org',
    line: (draw, index) =>
      `sshd[${4400 + index}]: Failed password for invalid user ${draw.oneOf(['admin', 'root', 'oracle', 'test'])} from 192.0.2.201 port ${40000 + draw.below(9000)} ssh2`,
  },
  {
    kind: 'disk failure',
    host: 'db1.example.org',
    line: (draw, index) =>
      index % 2 === 0
        ? `kernel: blk_update_request: I/O error, dev sdb, sector ${9_000_000 + draw.below(1000)} op 0x0:(READ)`
        : 'postgres[640]: ERROR: could not read block 4711 in file "base/16384/2619": Input/output error',
  },
  {
    kind: 'out of memory',
    host: 'mail1.example.org',
    line: (draw, index) =>
      index % 2 === 0
        ? `kernel: Out of memory: Killed process ${pid(draw)} (clamd) total-vm:${1_500_000 + draw.below(99_999)}kB`
        : 'systemd[1]: clamav-daemon.service: Main process exited, code=killed, status=9/KILL',
  },
];

/**
 * Makes up a syslog of four hosts with ordinary traffic, and three runs of anomalies in its last half.
 *
 * The fourth column is the host. Names and addresses are those reserved for documentation.
 *
 * @throws {RangeError} If there are fewer than 60 lines, or `seed` is not an integer.
 */
export function syntheticLog({lines = 300, seed = 1}: SyntheticLogOptions = {}): {text: string; anomalies: Anomaly[]} {
  if (!Number.isSafeInteger(lines) || lines < 60) {
    throw new RangeError(`Cannot make up a log as lines must be an integer of at least 60: current value is ${lines}`);
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`Cannot make up a log as seed must be an integer: current value is ${seed}`);
  }
  const draw = drawFrom(seed);
  // One run starts in each sixth of the last half and is shorter than it.
  const runs = anomalies.map(({kind, host}, index) => {
    const sixth = Math.floor(lines / 6);
    const length = 5 + draw.below(Math.min(6, sixth - 5));
    const firstLine = Math.floor(lines / 2) + index * sixth + draw.below(sixth - length) + 1;
    return {kind, host, firstLine, lastLine: firstLine + length - 1};
  });
  let text = '';
  let time = START;
  for (let number = 1; number <= lines; number++) {
    const index = runs.findIndex(({firstLine, lastLine}) => number >= firstLine && number <= lastLine);
    const run = runs[index];
    time += 1000 * (run === undefined ? 1 + draw.below(90) : 1 + draw.below(2));
    const host = run?.host ?? draw.oneOf(HOSTS);
    const message = run === undefined ? ordinary(host, draw) : anomalies[index]!.line(draw, number - run.firstLine);
    text += `${stamp(new Date(time))} ${host} ${message}\n`;
  }
  return {text, anomalies: runs};
}

function ordinary(host: string, draw: Draw): string {
  const own = byRole[host.replace(/\d.*/, '')]!;
  return draw.oneOf(draw.below(10) < 7 ? own : everywhere)(draw);
}

function stamp(date: Date): string {
  const time = date.toISOString().slice(11, 19);
  return `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time}`;
}

/** Draws from the mulberry32 generator. */
function drawFrom(seed: number): Draw {
  let sum = seed >>> 0;
  function below(end: number): number {
    sum = (sum + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(sum ^ (sum >>> 15), sum | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * end);
  }
  return {below, oneOf: items => items[below(items.length)]!};
}
