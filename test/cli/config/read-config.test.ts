import {inspect} from 'node:util';
import test from 'ava';
import type {Fields} from '../../../cli/config/field.ts';
import {fieldKinds} from '../../../cli/config/field-kinds.ts';
import {type ConfigSources, readConfig, variableOf} from '../../../cli/config/read-config.ts';

const {text, flag, choice, wholeNumber, duration, timeout, bytes, list, path, secret} = fieldKinds;

const fields = {
  name: {kind: text, required: true, about: 'what it is called'},
  'server.brokers': {kind: list, default: 'a:1', about: ''},
  'server.maxWait': {kind: duration, default: '5s', about: ''},
  'server.timeout': {kind: timeout, about: ''},
  'server.password': {kind: secret, about: ''},
  'reading.batch': {kind: wholeNumber({most: 64}), default: 8, about: ''},
  'reading.every': {kind: choice('segment', 'document'), default: 'segment', about: ''},
  'reading.strict': {kind: flag, default: false, about: ''},
  'store.bytes': {kind: bytes, about: ''},
  'store.folder': {kind: path, about: ''},
} as const satisfies Fields;

function read(yaml: string, sources: Partial<ConfigSources> = {}) {
  return readConfig(fields, {path: 'conf/worker.yaml', text: yaml, ...sources});
}

/** The lines of what is wrong. */
function problems(yaml: string, sources: Partial<ConfigSources> = {}): string[] {
  try {
    read(yaml, sources);
    return [];
  } catch (error) {
    return (error as TypeError).message
      .split('\n')
      .slice(1)
      .map(line => line.trim());
  }
}

test('readConfig reads values of each kind and fills in defaults', t => {
  const {values} = read(`
name: worker   # a comment
server:
  brokers: [b:1, c:2]
  maxWait: 1.5m
reading: {batch: 4, strict: true}
store:
  bytes: 1.5MiB
  folder: ../memories
`);
  t.deepEqual(
    {...values, 'store.folder': values['store.folder']?.endsWith('/memories')},
    {
      name: 'worker',
      'server.brokers': ['b:1', 'c:2'],
      'server.maxWait': 90_000,
      'reading.batch': 4,
      'reading.every': 'segment',
      'reading.strict': true,
      'store.bytes': 1.5 * 2 ** 20,
      'store.folder': true,
    },
  );
});

test('readConfig reads times that only a clock counts, however long, and those of timers up to 24 days', t => {
  const {values} = read('name: a\nserver: {maxWait: 100d, timeout: 24d}');
  t.is(values['server.maxWait'], 100 * 86_400_000);
  t.is(values['server.timeout'], 24 * 86_400_000);
});

test('readConfig takes paths of the file from its folder, and others from the current one', t => {
  t.is(read('name: a\nstore: {folder: m}').values['store.folder'], `${process.cwd()}/conf/m`);
  t.is(read('name: a', {assignments: ['store.folder=m']}).values['store.folder'], `${process.cwd()}/m`);
});

for (const [title, yaml, expected] of [
  [
    'a field that is misspelt',
    'name: a\nreading:\n  bacth: 8',
    [/^conf\/worker.yaml:3:3 "reading.bacth" is not a field: did you mean "reading.batch"\?$/],
  ],
  [
    'a section that is misspelt',
    'name: a\nreadin:\n  batch: 8',
    [/^conf\/worker.yaml:2:1 "readin" is not a field: did you mean "reading"\?$/],
  ],
  [
    'a field in the wrong section',
    'name: a\nbatch: 8',
    [/:2:1 "batch" is not a field: did you mean "reading.batch"\?$/],
  ],
  [
    'a field that is unlike any other',
    'name: a\nserver: {xyzzy: 8}',
    [/:2:10 "server.xyzzy" is not a field; there are brokers, maxWait, timeout, password$/],
  ],
  [
    'a number that is text',
    'name: a\nreading:\n  batch: many',
    [/:3:10 reading.batch must be a whole number from 1 to 64: current value is "many"$/],
  ],
  [
    'a number out of range',
    'name: a\nreading: {batch: 65}',
    [/:2:18 reading.batch must be a whole number from 1 to 64: current value is 65$/],
  ],
  [
    'another choice',
    'name: a\nreading: {every: word}',
    [/:2:18 reading.every must be one of segment, document: current value is "word"$/],
  ],
  ['a time without a unit', 'name: a\nserver: {maxWait: 5}', [/:2:19 server.maxWait must be a time with its unit/]],
  [
    'a time that no timer can wait',
    'name: a\nserver: {timeout: 30d}',
    [/:2:19 server.timeout must be at most 24d: current value is "30d"$/],
  ],
  ['a size that is none', 'name: a\nstore: {bytes: big}', [/:2:16 store.bytes must be a size such as/]],
  ['an empty list', 'name: a\nserver: {brokers: []}', [/:2:19 server.brokers must be a list/]],
  ['text that is a number', 'name: 5', [/:1:7 name must be text: current value is 5$/]],
  ['what is missing', 'reading: {batch: 8}', [/^conf\/worker.yaml must have "name": what it is called$/]],
  ['a section that is a value', 'name: a\nserver: here', [/:2:1 "server" must hold fields, such as "brokers"$/]],
  ['a list for a configuration', '- a', [/:1:1 must be fields and their values$/, /must have "name"/]],
  ['what is not YAML', 'name: a\n  b: c', [/^conf\/worker.yaml:1:7 is not YAML: /]],
  ['a field that is there twice', 'name: a\nname: b', [/:2:1 is not YAML: .*unique/]],
  [
    'all that is wrong at once',
    'nam: a\nreading: {batch: 0}',
    [/"nam" is not a field/, /must have "name"/, /:2:18 reading.batch/],
  ],
] as const) {
  test(`readConfig refuses ${title}, and says where it stands`, t => {
    const found = problems(yaml).sort(
      (a, b) => expected.findIndex(e => e.test(a)) - expected.findIndex(e => e.test(b)),
    );
    t.is(found.length, expected.length, found.join('\n'));
    for (const [i, pattern] of expected.entries()) t.regex(found[i]!, pattern);
  });
}

test('readConfig lets the environment override the file, and assignments both', t => {
  const yaml = 'name: a\nreading: {batch: 1}\nserver: {maxWait: 1s}';
  const environment = {
    PALIMPSEST_READING_BATCH: '2',
    PALIMPSEST_SERVER_MAX_WAIT: '2s',
    PALIMPSEST_SERVER_BROKERS: 'x:1, y:2',
  };
  const {values} = read(yaml, {environment, assignments: ['reading.batch=3', 'server.brokers=[z:1]']});
  t.is(values['reading.batch'], 3);
  t.is(values['server.maxWait'], 2000);
  t.deepEqual(values['server.brokers'], ['z:1']);
  t.deepEqual(read(yaml, {environment}).values['server.brokers'], ['x:1', 'y:2']);
  t.is(read(yaml, {assignments: ['reading.batch=2', 'reading.batch=4']}).values['reading.batch'], 4);
  t.is(read(yaml, {assignments: ['name=0123']}).values.name, '0123');
});

test('readConfig says which variable or assignment is wrong', t => {
  t.deepEqual(problems('name: a', {environment: {PALIMPSEST_READING_BATCH: 'x'}}), [
    'variable PALIMPSEST_READING_BATCH reading.batch must be a whole number from 1 to 64: current value is "x"',
  ]);
  t.deepEqual(problems('name: a', {environment: {PALIMPSEST_READING_BATHC: '3'}}), [
    'variable PALIMPSEST_READING_BATHC sets no field: did you mean PALIMPSEST_READING_BATCH?',
  ]);
  t.deepEqual(problems('name: a', {environment: {PALIMPSEST_CACHE: '/tmp', PALIMPSEST_SEED: '1'}}), []);
  t.deepEqual(problems('name: a', {assignments: ['reading.bach=1', 'name', 'store.bytes=-1']}), [
    '--set reading.bach sets no field: did you mean reading.batch?',
    '--set name must have a value, as in --set name=value',
    '--set store.bytes store.bytes must be a size such as 65536, 512KiB, 64MiB or 1GiB: current value is -1',
  ]);
});

test('readConfig takes secrets by reference, and shows them to nobody', t => {
  const yaml = 'name: a\nserver: {password: {env: PASSWORD}}';
  const {values, written} = read(yaml, {environment: {PASSWORD: 'hunter2'}});
  const password = values['server.password']!;
  t.is(password.reveal(), 'hunter2');
  const shown = [
    String(password),
    `${password}`,
    JSON.stringify(values),
    inspect(values, {depth: 9}),
    inspect(written),
  ];
  for (const text of shown) t.notRegex(text, /hunter2/);
  t.is(String(password), '<variable PASSWORD>');
  const overridden = read('name: a', {environment: {PALIMPSEST_SERVER_PASSWORD: 'hunter3'}});
  t.is(overridden.values['server.password']!.reveal(), 'hunter3');
});

for (const [title, yaml, sources] of [
  ['in the file', 'name: a\nserver: {password: hunter2}', {}],
  ['in an assignment', 'name: a', {assignments: ['server.password=hunter2']}],
  ['under a wrong name', 'name: a\nserver: {password: {plain: hunter2}}', {}],
] as const) {
  test(`readConfig refuses a secret ${title}, without showing it`, t => {
    const found = problems(yaml, sources);
    t.is(found.length, 1);
    t.regex(found[0]!, /server.password must be a reference to where it is kept, \{env: VARIABLE\} or \{file: path\}/);
    t.notRegex(found[0]!, /hunter2/);
  });
}

test('readConfig refuses a secret in a variable that is not set', t => {
  t.regex(
    problems('name: a\nserver: {password: {env: NOTHING}}')[0]!,
    /:2:20 server.password must be in the variable NOTHING .* it is not set$/,
  );
});

test('readConfig reports what fields mean for one another where they are written', t => {
  const check = (report: (field: 'name' | 'reading.batch', problem: string) => void) => {
    report('name', 'must not be');
    report('reading.batch', 'must not be either');
  };
  const error = t.throws(() => readConfig(fields, {path: 'a.yaml', text: '\nname: a'}, (_, report) => check(report)), {
    instanceOf: TypeError,
  });
  t.regex(error.message, /\n {2}a.yaml:2:7 name must not be\n {2}a.yaml reading.batch must not be either$/);
});

test('variableOf gives each field a variable of its own', t => {
  t.is(variableOf('server.maxWait'), 'PALIMPSEST_SERVER_MAX_WAIT');
  const names = Object.keys(fields);
  t.is(new Set(names.map(variableOf)).size, names.length);
});
