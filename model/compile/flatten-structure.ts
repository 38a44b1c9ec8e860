import type {StructureTemplate} from './structure-template.ts';

export type FlattenOptions<T> = {
  readonly isLeaf: (value: unknown) => value is T;
  /** Takes each leaf with its path, such as "memory.layers.0.keys". */
  readonly add: (leaf: T, path: string) => void;
  /** What a leaf is called in messages. */
  readonly expected: string;
};

/**
 * Takes a structure apart, in an order that does not depend on that of keys; entries that are undefined are left out.
 *
 * @throws {TypeError} If there is anything but arrays, objects and leaves in it.
 */
export function flattenStructure<T>(structure: unknown, {isLeaf, add, expected}: FlattenOptions<T>): StructureTemplate {
  let count = 0;
  const flatten = (value: unknown, path: string): StructureTemplate => {
    if (isLeaf(value)) {
      add(value, path);
      return count++;
    }
    const isPlain = typeof value === 'object' && value !== null && !(value instanceof Promise);
    if (!isPlain) {
      const place = path === '' ? 'it' : `"${path}"`;
      const found = value instanceof Promise ? 'a promise' : String(value);
      throw new TypeError(`Cannot compile as ${expected} must be in arrays and objects: ${place} is ${found}`);
    }
    const inner = (name: string | number) => (path === '' ? `${name}` : `${path}.${name}`);
    if (Array.isArray(value)) return value.map((item, index) => flatten(item, inner(index)));
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, item]) => [name, flatten(item, inner(name))]));
  };
  return flatten(structure, '');
}
