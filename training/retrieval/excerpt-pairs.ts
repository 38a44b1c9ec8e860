import {DecodeError} from '../../errors.ts';

/** Two excerpts of one document, as indices of {@link ExcerptPairs.texts}. */
export type ExcerptPairs = {
  /** Ids, each `X#a` or `X#b`. */
  readonly ids: readonly string[];
  readonly texts: readonly string[];
  /** For each excerpt the index of the other one of its document. */
  readonly partners: readonly number[];
};

/**
 * Reads JSON Lines of `{"id", "text"}` whose ids `X#a` and `X#b` belong together; blank lines mean nothing.
 *
 * @throws {DecodeError} If a line is something else, an excerpt has no other one, or there are fewer than two documents.
 */
export function parseExcerptPairs(content: string, {path}: {readonly path: string}): ExcerptPairs {
  const texts = new Map<string, string>();
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `line ${index + 1} of "${path}"`;
    const {id, text} = parseLine(line, place);
    if (texts.has(id)) throw new DecodeError(`Cannot read ${place} as each id must stand once: "${id}" stood before`);
    texts.set(id, text);
  }
  const ids = [...texts.keys()];
  const places = new Map(ids.map((id, index) => [id, index]));
  const partners = ids.map(id => {
    const other = id.slice(0, -1) + (id.endsWith('a') ? 'b' : 'a');
    const place = places.get(other);
    if (place === undefined)
      throw new DecodeError(`Cannot use "${id}" of "${path}" as each excerpt needs its other one: add "${other}"`);
    return place;
  });
  if (ids.length < 4) {
    throw new DecodeError(
      `Cannot measure retrieval by "${path}" as it must hold excerpts of two documents or more: current value is ${ids.length / 2}`,
    );
  }
  return {ids, texts: [...texts.values()], partners};
}

function parseLine(line: string, place: string): {readonly id: string; readonly text: string} {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new DecodeError(`Cannot read ${place} as it is not JSON: ${(cause as Error).message}`, {cause});
  }
  const {id, text} = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || !/.#[ab]$/s.test(id)) {
    throw new DecodeError(
      `Cannot read ${place} as its id must end in "#a" or "#b": current value is ${JSON.stringify(id)}`,
    );
  }
  if (typeof text !== 'string' || text.trim() === '') {
    throw new DecodeError(`Cannot read ${place} as its text must be a string that is not blank`);
  }
  return {id, text};
}
