import {setImmediate} from 'node:timers/promises';
import type {DeadLetter, DeadLetters} from '../../pipeline/index.ts';

/** Dead letters in memory; counts its letters where a file counts bytes. */
export class LetterList implements DeadLetters {
  readonly letters: DeadLetter[] = [];

  async add(letter: DeadLetter): Promise<void> {
    await setImmediate();
    this.letters.push(letter);
  }

  async flush(): Promise<readonly [string, bigint]> {
    await setImmediate();
    return ['letters', BigInt(this.letters.length)];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
