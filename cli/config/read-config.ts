import {dirname, resolve} from 'node:path';
import {isAlias, isMap, isScalar, LineCounter, type Node, parse, parseDocument, type YAMLMap} from 'yaml';
import type {Fields, FieldValues, Writing} from './field.ts';
import {nearestName} from './nearest-name.ts';

export type ConfigSources = {
  /** Name of the file, as errors show it. */
  readonly path: string;
  /** YAML. */
  readonly text: string;
  /** Assignments such as "reading.batch=8"; the last of a field counts. */
  readonly assignments?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

/** A value, and where it comes from. */
export type Written = {readonly value: unknown; readonly place: string};

export type ReadConfig<F extends Fields> = {
  readonly values: FieldValues<F>;
  /** What was written for each field that is not left to its default. */
  readonly written: ReadonlyMap<string, Written>;
};

const prefix = 'PALIMPSEST_';

/** The variable of the environment that overrides a field. */
export function variableOf(field: string): string {
  return `${prefix}${field
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

/**
 * Reads a configuration: a file of YAML, then variables of the environment, then assignments, the later ones on top.
 *
 * @param check Finds what fields mean for one another; reports what is wrong with a field. Called when each field by itself is right.
 * @throws {TypeError} If anything is wrong, with all of it and where it stands.
 */
export function readConfig<F extends Fields>(
  fields: F,
  {path, text, assignments = [], environment = {}}: ConfigSources,
  check?: (values: FieldValues<F>, report: (field: keyof F & string, problem: string) => void) => void,
): ReadConfig<F> {
  const problems: string[] = [];
  const written = new Map<string, Written>();
  const writings = new Map<string, Writing>();
  const write = (
    field: string,
    value: unknown,
    {place, ...writing}: Omit<Writing, 'environment'> & {place: string},
  ) => {
    written.set(field, {value, place});
    writings.set(field, {...writing, environment});
  };

  const folder = dirname(resolve(path));
  for (const {field, value, place, problem} of readYaml(fields, path, text)) {
    if (problem !== undefined) problems.push(`${place} ${problem}`);
    else write(field!, value, {place, from: 'file', folder});
  }
  const names = Object.keys(fields);
  const variables = new Map(names.map(name => [variableOf(name), name]));
  const sections = new Set(names.filter(name => name.includes('.')).map(name => `${variableOf(name.split('.')[0]!)}_`));
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || value === '') continue;
    const place = `variable ${variable}`;
    const field = variables.get(variable);
    if (field !== undefined) write(field, scalarOf(value), {place, from: 'environment', variable, folder: '.'});
    else if ([...sections].some(section => variable.startsWith(section))) {
      problems.push(`${place} sets no field${suggestion(variable, variables.keys())}`);
    }
  }
  for (const assignment of assignments) {
    const [field, ...rest] = assignment.split('=') as [string, ...string[]];
    const place = `--set ${field}`;
    if (rest.length === 0) problems.push(`${place} must have a value, as in --set ${field}=value`);
    else if (!(field in fields)) problems.push(`${place} sets no field${suggestion(field, names)}`);
    else write(field, scalarOf(rest.join('=')), {place, from: 'option', folder: '.'});
  }

  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const found = written.get(name);
    const value = found?.value ?? field.default;
    if (value === undefined || value === null) {
      if (field.required) problems.push(`${path} must have "${name}": ${field.about}`);
      continue;
    }
    try {
      values[name] = field.kind(value, writings.get(name) ?? {from: 'file', folder, environment});
    } catch (error) {
      problems.push(`${found?.place ?? path} ${name} must be ${(error as Error).message}`);
    }
  }
  if (problems.length === 0) {
    check?.(values as FieldValues<F>, (field, problem) => {
      problems.push(`${written.get(field)?.place ?? path} ${field} ${problem}`);
    });
  }
  if (problems.length > 0) {
    throw wrong(problems);
  }
  return {values: values as FieldValues<F>, written};
}

function wrong(problems: readonly string[]): TypeError {
  const list = problems.map(problem => `\n  ${problem}`).join('');
  return new TypeError(`Cannot use the configuration as it must be right, and this is not:${list}`);
}

type Found = {
  readonly place: string;
  readonly field?: string;
  readonly value?: unknown;
  readonly problem?: string;
};

function* readYaml(fields: Fields, path: string, text: string): Generator<Found> {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false});
  const placeAt = (offset: number) => {
    const {line, col} = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [error] = document.errors;
  // What follows the first is mostly its consequence.
  if (error !== undefined) throw wrong([`${placeAt(error.pos[0])} is not YAML: ${error.message}`]);

  function* within(map: YAMLMap, section: string): Generator<Found> {
    for (const {key, value} of map.items) {
      const place = placeAt((key as Node).range![0]);
      const name = isScalar(key) ? String(key.value) : '';
      const field = section === '' ? name : `${section}.${name}`;
      const node = isAlias(value) ? value.resolve(document) : value;
      const below = Object.keys(fields).some(known => known.startsWith(`${field}.`));
      if (field in fields) {
        const at = isAlias(value) || value === null ? place : placeAt((value as Node).range![0]);
        yield {place: at, field, value: isNode(node) ? node.toJS(document) : node};
      } else if (!below) {
        yield {place, problem: `"${field}" is not a field${misspelt(fields, section, name)}`};
      } else if (isMap(node)) {
        yield* within(node, field);
      } else if (!(isScalar(node) && node.value === null) && node !== null) {
        yield {place, problem: `"${field}" must hold fields, such as "${namesIn(fields, field)[0]}"`};
      }
    }
  }
  const {contents} = document;
  if (isMap(contents)) yield* within(contents, '');
  else if (contents !== null) yield {place: placeAt(0), problem: 'must be fields and their values'};
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'toJS' in value;
}

/** Names of fields and sections within a section. */
function namesIn(fields: Fields, section: string): string[] {
  const start = section === '' ? '' : `${section}.`;
  const names = Object.keys(fields).filter(name => name.startsWith(start));
  return [...new Set(names.map(name => name.slice(start.length).split('.')[0]!))];
}

function misspelt(fields: Fields, section: string, name: string): string {
  const near = nearestName(name, namesIn(fields, section));
  if (near !== undefined) return `: did you mean "${section === '' ? '' : `${section}.`}${near}"?`;
  // Right, but in the wrong section.
  const elsewhere = Object.keys(fields).filter(field => field.split('.').at(-1) === name);
  if (elsewhere.length > 0) return `: did you mean "${elsewhere.join('" or "')}"?`;
  return `; there are ${namesIn(fields, section).join(', ')}`;
}

function suggestion(name: string, names: Iterable<string>): string {
  const near = nearestName(name, names);
  return near === undefined ? '' : `: did you mean ${near}?`;
}

/** As in a file: numbers, true, false, lists in brackets; else text. */
function scalarOf(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === 'number' && String(value) !== text ? text : value;
  } catch {
    return text;
  }
}
