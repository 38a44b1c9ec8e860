import type {DeadLetter, DeadLetters} from '../pipeline/dead-letters.ts';

/** Dead letters, and how many were added. */
export class CountedDeadLetters implements DeadLetters {
  readonly #letters: DeadLetters;
  count = 0;

  constructor(letters: DeadLetters) {
    this.#letters = letters;
  }

  async add(letter: DeadLetter): Promise<void> {
    this.count++;
    await this.#letters.add(letter);
  }

  flush(): Promise<readonly [output: string, length: bigint] | undefined> {
    return this.#letters.flush();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#letters[Symbol.asyncDispose]();
  }
}
