import type {CheckpointSchedule} from '../../pipeline/checkpoint-schedule.ts';
import type {DeadLetter, DeadLetters} from '../../pipeline/dead-letters.ts';

/** What may wait for a barrier before one is asked for. */
const waitingBytes = 16 * 1024 * 1024;

/** Keeps dead letters until the sink takes them into the transaction of the barrier behind them. */
export class KafkaDeadLetters implements DeadLetters {
  readonly #checkpoints: CheckpointSchedule;
  #waiting: DeadLetter[] = [];
  #bytes = 0;
  /** One batch for each barrier that has passed and that the sink has not met. */
  readonly #sealed: DeadLetter[][] = [];

  constructor(checkpoints: CheckpointSchedule) {
    this.#checkpoints = checkpoints;
  }

  async add(letter: DeadLetter): Promise<void> {
    this.#waiting.push(letter);
    this.#bytes += letter.content.length;
    if (this.#bytes > waitingBytes) this.#checkpoints.request();
  }

  async flush(): Promise<undefined> {
    this.#sealed.push(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
  }

  /** The letters of the earliest barrier that has not been taken. */
  take(): readonly DeadLetter[] {
    return this.#sealed.shift() ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
