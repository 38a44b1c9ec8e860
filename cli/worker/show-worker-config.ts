import {stringify} from 'yaml';
import type {ReadConfig} from '../config/read-config.ts';
import {Secret} from '../config/secret.ts';
import {workerFields} from './worker-fields.ts';

/** A configuration with all defaults as YAML; of secrets it says where they come from. */
export function showWorkerConfig({values, written}: ReadConfig<typeof workerFields>): string {
  const tree: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const path = name.split('.');
    const leaf = path.pop()!;
    let section = tree;
    for (const step of path) {
      section[step] ??= {};
      section = section[step] as Record<string, unknown>;
    }
    const field = workerFields[name as keyof typeof workerFields];
    section[leaf] =
      value instanceof Secret
        ? String(value)
        : (written.get(name)?.value ?? ('default' in field ? field.default : value));
  }
  return stringify(tree);
}
