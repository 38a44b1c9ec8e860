import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const ROOT = process.cwd();

/** Folders of the project that hold no sources of it. */
const NOT_OURS = new Set(['node_modules', 'dist', 'docs', 'coverage']);

/** Paths of all TypeScript sources of the project, relative to its root. */
export function sourceFiles(): string[] {
  return readdirSync(ROOT, {withFileTypes: true}).flatMap(entry => {
    if (entry.isFile()) return entry.name.endsWith('.ts') ? [entry.name] : [];
    if (!entry.isDirectory() || entry.name.startsWith('.') || NOT_OURS.has(entry.name)) return [];
    return readdirSync(join(ROOT, entry.name), {recursive: true, encoding: 'utf8'})
      .filter(path => path.endsWith('.ts') && !path.includes('node_modules'))
      .map(path => join(entry.name, path));
  });
}

export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
