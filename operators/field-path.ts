/** A field of a JSON object, named directly or by a dotted path such as `host.name`. */
export class FieldPath {
  readonly name: string;
  readonly #steps: readonly string[];

  /** @throws {TypeError} If `name` or a step of it is empty. */
  constructor(name: string) {
    this.#steps = typeof name === 'string' ? name.split('.') : [];
    if (this.#steps.length === 0 || this.#steps.includes('')) {
      throw new TypeError(
        `Cannot look up a field as its name must be a dotted path without empty steps: current value is "${name}"`,
      );
    }
    this.name = name;
  }

  /** The field's value, or `undefined` if there is none; a field whose own name has the dots goes before a nested one. */
  read(value: unknown): unknown {
    const whole = property(value, this.name);
    if (whole !== undefined || this.#steps.length === 1) return whole;
    return this.#steps.reduce(property, value);
  }
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
