import type {Logger} from 'pino';
import type {DeadLetter, DeadLetters} from '../../pipeline/dead-letters.ts';

export type UndecodableLettersOptions = {
  /** Where letters go; without it, they are passed over. */
  readonly deadLetters: DeadLetters | undefined;
  readonly log: Logger;
  readonly onSkipped: () => void;
};

/** Of a flood of letters, the first and then every so many are logged. */
const loggedAtFirst = 20;
const loggedEvery = 1000;

/** Logs messages that cannot be decoded on their way to the dead letters, or to nowhere. */
export class UndecodableLetters implements DeadLetters {
  readonly #options: UndecodableLettersOptions;
  #count = 0;

  constructor(options: UndecodableLettersOptions) {
    this.#options = options;
  }

  async add(letter: DeadLetter): Promise<void> {
    const {deadLetters, log, onSkipped} = this.#options;
    this.#count++;
    if (this.#count <= loggedAtFirst || this.#count % loggedEvery === 0) {
      const {offset} = letter.position;
      const fields = {offset, document: letter.key, error: letter.error.message, count: this.#count};
      log.warn(fields, deadLetters === undefined ? 'passed over a message' : 'put a message into the dead letters');
    }
    if (deadLetters === undefined) onSkipped();
    else await deadLetters.add(letter);
  }

  async flush(): Promise<readonly [output: string, length: bigint] | undefined> {
    return this.#options.deadLetters?.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
