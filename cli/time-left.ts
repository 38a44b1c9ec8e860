/** How long work takes that goes on as it has gone so far. */
export class TimeLeft {
  readonly #started = performance.now();
  #first: number | undefined;

  /** Such as "12 s left"; `undefined` as long as nothing was done. The first call says where work began. */
  describe(done: number, total: number): string | undefined {
    this.#first ??= done;
    if (done <= this.#first) return undefined;
    const seconds = ((performance.now() - this.#started) / 1000 / (done - this.#first)) * (total - done);
    if (seconds < 60) return `${Math.round(seconds)} s left`;
    if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min left`;
    return `${(seconds / 3600).toFixed(1)} h left`;
  }
}
