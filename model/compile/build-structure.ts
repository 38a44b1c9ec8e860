import type {StructureTemplate} from './structure-template.ts';

/** Puts leaves into the places of a template. */
export function buildStructure<T>(template: StructureTemplate, leaves: readonly T[]): unknown {
  if (typeof template === 'number') return leaves[template];
  if (isList(template)) return template.map(item => buildStructure(item, leaves));
  return Object.fromEntries(Object.entries(template).map(([name, item]) => [name, buildStructure(item, leaves)]));
}

function isList(template: StructureTemplate): template is readonly StructureTemplate[] {
  return Array.isArray(template);
}
