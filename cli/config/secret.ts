import {readFileSync} from 'node:fs';
import {inspect} from 'node:util';

/** A password or token. Whatever prints it prints where it comes from. */
export class Secret {
  /** Where it comes from, such as "variable KAFKA_PASSWORD". */
  readonly origin: string;
  readonly #read: () => string;

  private constructor(origin: string, read: () => string) {
    this.origin = origin;
    this.#read = read;
  }

  /** What a variable of the environment holds now. */
  static fromVariable(name: string, value: string): Secret {
    return new Secret(`variable ${name}`, () => value);
  }

  /** What a file holds whenever it is asked for, without a line end behind it. */
  static fromFile(path: string): Secret {
    return new Secret(`file ${path}`, () => readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
  }

  /** @throws If the file cannot be read. */
  reveal(): string {
    return this.#read();
  }

  toString(): string {
    return `<${this.origin}>`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
