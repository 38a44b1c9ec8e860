export type SourceImport = {
  readonly specifier: string;
  /** Whether the edge vanishes when types are erased. */
  readonly type: boolean;
  /** Whether it is loaded when the code comes to it, not before the code runs. */
  readonly late: boolean;
};

const STATIC = /^(?:import|export)\s+(?<type>type\s)?(?:(?<names>[^'";]*?)\sfrom\s+)?['"](?<specifier>[^'"]+)['"]/gm;
const DYNAMIC = /\b(?:import|require|require\.resolve|import\.meta\.resolve)\(\s*['"](?<specifier>[^'"]+)['"]/g;
const URLS = /\bnew URL\(\s*['"](?<specifier>\.[^'"]+)['"],\s*import\.meta\.url/g;
const COMMENTS = /^\s*\/\*\*?[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Everything that a TypeScript source imports: statically, dynamically, for its types, or as a worker's URL. */
export function sourceImports(source: string): SourceImport[] {
  const code = source.replace(COMMENTS, '');
  const imports = [...code.matchAll(STATIC)].map(({groups}) => ({
    specifier: groups!.specifier!,
    type: groups!.type !== undefined || onlyTypes(groups!.names),
    late: false,
  }));
  for (const pattern of [DYNAMIC, URLS]) {
    for (const {groups} of code.matchAll(pattern))
      imports.push({specifier: groups!.specifier!, type: false, late: true});
  }
  return imports;
}

function onlyTypes(names: string | undefined): boolean {
  const inner = names?.match(/^\{(?<inner>[\s\S]*)\}$/)?.groups?.inner;
  if (inner === undefined) return false;
  return inner.split(',').every(name => name.trim() === '' || name.trim().startsWith('type '));
}
