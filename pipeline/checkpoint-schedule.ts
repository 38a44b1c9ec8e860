/**
 * Decides when a source emits a barrier: after a number of input bytes, or when a later stage asks for one.
 *
 * Bytes rather than time, so that an interrupted run and an uninterrupted one place their barriers alike.
 */
export class CheckpointSchedule {
  /** Input between two barriers. */
  readonly bytes: number;
  #seen = 0;
  #requested = false;

  /**
   * @param options.bytes Input between two barriers. @default 262,144
   * @throws {RangeError} If `bytes` is not a positive integer.
   */
  constructor({bytes = 256 * 1024}: {bytes?: number} = {}) {
    if (!Number.isSafeInteger(bytes) || bytes < 1) {
      throw new RangeError(
        `Cannot schedule checkpoints as bytes must be a positive integer: current value is ${bytes}`,
      );
    }
    this.bytes = bytes;
  }

  /** Counts input that was emitted, or output that no input brought about. */
  count(bytes: number): void {
    this.#seen += bytes;
  }

  /** Asks for a barrier as soon as the source can place one, whatever was counted. */
  request(): void {
    this.#requested = true;
  }

  get due(): boolean {
    return this.#requested || this.#seen >= this.bytes;
  }

  /** Whether anything was counted or asked for since the last barrier. */
  get pending(): boolean {
    return this.#requested || this.#seen > 0;
  }

  /** Starts counting anew; called by the source when it emits a barrier. */
  reset(): void {
    this.#seen = 0;
    this.#requested = false;
  }
}
