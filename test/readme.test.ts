import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, dirname, join, resolve} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {markdownSnippets} from './markdown-snippets.ts';
import {readSource} from './source-files.ts';

const execute = promisify(execFile);
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'models/base/README.md',
  ...(await readdir('docs')).sort().map(name => `docs/${name}`),
];
const contents = new Map(pages.map(page => [page, readSource(page)]));

const {scripts} = JSON.parse(readSource('package.json')) as {scripts: Record<string, string>};

/** What npm does without a script of that name. */
const NPM = new Set(['ci', 'install', 'pack']);

/** Help of every command, by its name. */
const helpTexts = await collectHelp();

/** Help of the programs that measure, by the scripts that start them. */
const scriptHelp = new Map(
  await Promise.all(
    Object.entries(scripts)
      .filter(([name]) => /^(bench|compare)/.test(name))
      .map(async ([name, script]) => {
        const {stdout} = await execute(process.execPath, [/dist\S+\.js/.exec(script)![0], '--help']);
        return [name, stdout] as const;
      }),
  ),
);

/** What the snippets of a page take for given. */
const GIVEN: Readonly<Record<string, string>> = {
  'docs/memory-store.md': `import {InMemoryStore as MyStoreBase} from 'palimpsest/memory-store';
    const MyStore = {open: async (_place: object) => new MyStoreBase()};
    const makeEmptyPlace = async () => ({remove: async () => {}});
    void [MyStore, makeEmptyPlace];`,
};

type Program = {readonly page: string; readonly line: number; readonly file: string; readonly text: string};

/** Inside `dist`, so that the package's own name leads to what was built. */
const folder = resolve('dist/test/snippets');

/** A snippet that names a file in its first line is that file; the others of its page can import it. */
const programs: Program[] = [...contents].flatMap(([page, content]) =>
  markdownSnippets(content)
    .filter(({language}) => language === 'ts')
    .map(({text, line}) => {
      const [, name = `line-${line}.ts`] = /^\/\/ ([\w-]+\.ts)\n/.exec(text) ?? [];
      return {page, line, file: join(folder, basename(page, '.md'), name), text};
    }),
);

test.before(async () => {
  await rm(folder, {recursive: true, force: true});
  for (const {page, file, text} of programs) {
    await mkdir(dirname(file), {recursive: true});
    await writeFile(file, `${GIVEN[page] ?? ''}${text}`);
  }
});

test.after.always(() => rm(folder, {recursive: true, force: true}));

test.serial('Snippets of README and docs compile', async t => {
  t.true(programs.some(({page}) => page === 'README.md'));
  const {compilerOptions} = JSON.parse(readSource('tsconfig.json')) as {compilerOptions: object};
  const options = {...compilerOptions, rootDir: '.', outDir: '.', noUnusedLocals: false, declaration: false};
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({compilerOptions: options, include: ['**/*.ts'], exclude: []}),
  );
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const errors = await execute(process.execPath, [compiler, '--project', folder]).then(
    () => '',
    (error: {stdout: string}) => error.stdout,
  );
  t.is(errors, '');
});

for (const {page, line, file, text} of programs) {
  // A snippet of a test file needs the test runner around it.
  if (text.includes("from 'ava'")) continue;

  test.serial(`Snippet in line ${line} of ${page} runs`, async t => {
    const place = await mkdtemp(join(tmpdir(), 'palimpsest-snippet-'));
    t.teardown(() => rm(place, {recursive: true, force: true}));
    await writeFile(join(place, 'book.txt'), (await readFile('examples/data/frankenstein.txt')).subarray(0, 20_000));
    const running = execute(process.execPath, [file.replace(/\.ts$/, '.js')], {cwd: place});
    await t.notThrowsAsync(running);
    if (page !== 'README.md') return;
    const {stdout} = await running;
    const results = stdout.trimEnd().split('\n');
    t.true(results.length > 10);
    t.like(JSON.parse(results.at(-1)!), {id: 'book.txt', dimension: 512, final: true, model: {name: 'base'}});
  });
}

async function help(command: readonly string[]): Promise<string> {
  const {stdout} = await execute(process.execPath, ['dist/cli/main.js', ...command, '--help']);
  return stdout;
}

/** Names of the commands under one, by its help. */
function commandsIn(text: string): string[] {
  const [, list = ''] = text.split('\nCommands:\n');
  return [...list.matchAll(/^ {2}(?<name>[a-z][a-z-]*)/gm)]
    .map(({groups}) => groups!.name!)
    .filter(name => name !== 'help');
}

async function collectHelp(command: readonly string[] = []): Promise<Map<string, string>> {
  const text = await help(command);
  const below = await Promise.all(commandsIn(text).map(name => collectHelp([...command, name])));
  return new Map([[command.join(' '), text], ...below.flatMap(map => [...map])]);
}

function options(text: string): Set<string> {
  return new Set([...text.matchAll(/(?:^|[\s,])(?<option>--?[a-z][a-z-]*)/gm)].map(({groups}) => groups!.option!));
}

/** What is wrong with a command line, or `undefined`. */
function wrongIn(line: string): string | undefined {
  const words = [...line.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word);
  while (/^\w+=/.test(words[0] ?? '') || words[0] === 'npx') words.shift();
  const [program, ...args] = words;
  if (program === 'npm') {
    const script = args[0] === 'run' ? args[1]! : args[0]!;
    if (!(script in scripts)) return args[0] !== 'run' && NPM.has(script) ? undefined : `no script "${script}"`;
    const given = args.includes('--') ? args.slice(args.indexOf('--') + 1) : [];
    const known = options(scriptHelp.get(script) ?? '');
    const unknown = given.find(arg => /^--?[a-z]/.test(arg) && !known.has(arg));
    return unknown === undefined ? undefined : `no option "${unknown}" of script "${script}"`;
  }
  if (program === 'node' || program === 'python3') {
    return existsSync(args[0]!) ? undefined : `no file "${args[0]}"`;
  }
  if (program !== 'palimpsest') return undefined;
  let command = '';
  while (helpTexts.has(`${command} ${args[0]}`.trim())) command = `${command} ${args.shift()}`.trim();
  if (commandsIn(helpTexts.get(command)!).length > 0 && args[0] !== '--help') return `no command "${args[0]}"`;
  const known = options(helpTexts.get(command)!);
  const unknown = args.find(arg => /^--?[a-z]/.test(arg) && !known.has(arg));
  return unknown === undefined ? undefined : `no option "${unknown}" of "${command}"`;
}

/** Command lines of a page: those of its shell snippets, and those in its text that begin with our own name. */
function commandLines(content: string): string[] {
  const shell = markdownSnippets(content).filter(({language}) => ['sh', 'bash', 'console'].includes(language));
  const inText = content.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`(?<code>(?:npx |npm |palimpsest )[^`]*)`/g);
  return [...shell.flatMap(({text}) => text.split('\n')), ...[...inText].map(({groups}) => groups!.code!)]
    .flatMap(line =>
      line
        .replace(/^\$ /, '')
        .replace(/ #.*/, '')
        .split(/ && | \| /),
    )
    .map(line => line.trim())
    .filter(line => line !== '');
}

for (const [page, content] of contents) {
  test(`Commands in ${page} exist`, t => {
    const wrong = commandLines(content).map(line => [line, wrongIn(line)] as const);
    t.deepEqual(
      wrong.filter(([, problem]) => problem !== undefined),
      [],
    );
  });

  test(`Options in ${page} exist`, t => {
    const known = options([...helpTexts.values()].join('\n'));
    const text = content.replace(/^```[\s\S]*?^```$/gm, '');
    const used = [...text.matchAll(/`(?<option>--[a-z-]+)/g)].map(({groups}) => groups!.option!);
    t.deepEqual(
      used.filter(option => !known.has(option)),
      [],
    );
  });

  test(`Links in ${page} lead to files, and those to tests to tests`, t => {
    const links = [...content.matchAll(/\]\((?<target>[^)\s#:]+)(?:#[\w-]+)?(?: "(?<title>[^"]*)")?\)/g)];
    for (const {groups} of links) {
      const path = join(dirname(page), groups!.target!);
      t.true(existsSync(path), path);
      if (groups!.title !== undefined) t.true(readSource(path).includes(`'${groups!.title}'`), groups!.title);
    }
    t.pass();
  });
}

test('Guarantees are linked to their tests', t => {
  const [, section = ''] = contents.get('README.md')!.split('\n## Guarantees\n');
  const guarantees = section.split('\n## ')[0]!.trim().split(/^- /m).slice(1);
  t.true(guarantees.length >= 3);
  for (const guarantee of guarantees) t.regex(guarantee, /\[test\]\(test\/\S+\.test\.ts "/);
});

for (const [line, problem] of [
  ['npm run nothing', 'no script "nothing"'],
  ['npm nothing', 'no script "nothing"'],
  ['npx palimpsest nothing', 'no command "nothing"'],
  ['palimpsest native nothing', 'no command "nothing"'],
  ['palimpsest embed --nothing a.txt', 'no option "--nothing" of "embed"'],
  ['PALIMPSEST_CACHE=/tmp palimpsest native install --cpu', 'no option "--cpu" of "native install"'],
  ['python3 nothing.py', 'no file "nothing.py"'],
] as const) {
  test(`A page that says "${line}" would fail`, t => {
    t.is(wrongIn(line), problem);
  });
}
