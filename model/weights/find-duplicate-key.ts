/** A key that some object of a JSON text has twice, which `JSON.parse` hides. The text must be valid JSON. */
export function findDuplicateKey(json: string): string | undefined {
  // One entry per open bracket: the keys so far of an object, `undefined` for an array.
  const open: (Set<string> | undefined)[] = [];
  let key = false;
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '{':
        open.push(new Set());
        key = true;
        break;
      case '[':
        open.push(undefined);
        key = false;
        break;
      case '}':
      case ']':
        open.pop();
        key = false;
        break;
      case ',':
        key = open.at(-1) !== undefined;
        break;
      case ':':
        key = false;
        break;
      case '"': {
        const start = i++;
        while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
        if (!key) break;
        const name: string = JSON.parse(json.slice(start, i + 1));
        const keys = open.at(-1)!;
        if (keys.has(name)) return name;
        keys.add(name);
        break;
      }
    }
  }
  return undefined;
}
