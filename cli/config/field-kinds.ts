import {resolve} from 'node:path';
import type {FieldKind, Writing} from './field.ts';
import {Secret} from './secret.ts';

const milliseconds = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000} as const;
const multiples = {B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30} as const;

const text: FieldKind<string> = written => {
  if (typeof written === 'string' && written !== '') return written;
  throw new Error(`text${shown(written)}`);
};

const flag: FieldKind<boolean> = written => {
  if (typeof written === 'boolean') return written;
  throw new Error(`true or false${shown(written)}`);
};

/** Text that matches. */
function matching(pattern: RegExp, description: string): FieldKind<string> {
  return written => {
    if (typeof written === 'string' && pattern.test(written)) return written;
    throw new Error(`${description}${shown(written)}`);
  };
}

function choice<const T extends string>(...names: readonly T[]): FieldKind<T> {
  return written => {
    if (names.includes(written as T)) return written as T;
    throw new Error(`one of ${names.join(', ')}${shown(written)}`);
  };
}

function wholeNumber({least = 1, most = Number.MAX_SAFE_INTEGER} = {}): FieldKind<number> {
  return written => {
    if (Number.isSafeInteger(written) && (written as number) >= least && (written as number) <= most) {
      return written as number;
    }
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new Error(`a whole number ${range}${shown(written)}`);
  };
}

/** In milliseconds. */
const duration: FieldKind<number> = written => {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(String(written)) ?? [];
  const value = Math.round(Number(number) * milliseconds[unit as keyof typeof milliseconds]);
  if (value > 0) return value;
  throw new Error(`a time with its unit, such as 200ms, 5s, 10m, 24h or 7d${shown(written)}`);
};

/** Longest time that a timer, and a field of 32 bits in the Kafka protocol, can hold; in milliseconds. */
const longestTimeout = 2 ** 31 - 1;

/** A time that a timer or a broker is given, in milliseconds. */
const timeout: FieldKind<number> = (written, writing) => {
  const value = duration(written, writing);
  if (value <= longestTimeout) return value;
  throw new Error(`at most 24d${shown(written)}`);
};

const bytes: FieldKind<number> = written => {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)?$/.exec(String(written)) ?? [];
  const value = Math.round(Number(number) * multiples[unit as keyof typeof multiples]);
  if (value > 0) return value;
  throw new Error(`a size such as 65536, 512KiB, 64MiB or 1GiB${shown(written)}`);
};

/** Several names; outside the file they may be written with commas between them. */
const list: FieldKind<readonly string[]> = written => {
  const names = typeof written === 'string' ? written.split(',').map(name => name.trim()) : written;
  if (Array.isArray(names) && names.length > 0 && names.every(name => typeof name === 'string' && name !== '')) {
    return names as string[];
  }
  throw new Error(`a list of text that is not empty${shown(written)}`);
};

/** A file or folder; relative ones start from the folder of the configuration, or else the current one. */
const path: FieldKind<string> = (written, {folder}) => {
  if (typeof written === 'string' && written !== '') return resolve(folder, written);
  throw new Error(`a path${shown(written)}`);
};

const secretForms = 'a reference to where it is kept, {env: VARIABLE} or {file: path}';

const secret: FieldKind<Secret> = (written, {from, variable, folder, environment}: Writing) => {
  if (from === 'environment' && typeof written === 'string') return Secret.fromVariable(variable!, written);
  const [name, value, ...rest] = Object.entries(
    typeof written === 'object' && written !== null ? written : {},
  ).flat() as [string?, unknown?, ...unknown[]];
  // What was written may be the secret itself, and is not shown.
  if (typeof value !== 'string' || value === '' || rest.length > 0) throw new Error(`${secretForms}: it is not`);
  if (name === 'file') return Secret.fromFile(resolve(folder, value));
  if (name !== 'env') throw new Error(`${secretForms}: it is not`);
  const held = environment[value];
  if (held === undefined || held === '') {
    throw new Error(`in the variable ${value} of the environment: it is not set`);
  }
  return Secret.fromVariable(value, held);
};

function shown(written: unknown): string {
  return `: current value is ${JSON.stringify(written)}`;
}

/** Kinds of fields that a configuration has. */
export const fieldKinds = {
  text,
  flag,
  matching,
  choice,
  wholeNumber,
  duration,
  timeout,
  bytes,
  list,
  path,
  secret,
} as const;
