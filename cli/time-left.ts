/** How long work takes that goes on as it has gone so far. */
export class TimeLeft {
  #start: {readonly done: number; readonly at: number} | undefined;

  /** Such as "12 s left"; `undefined` as long as nothing was done. The first call says where and when work began. */
  describe(done: number, total: number): string | undefined {
    this.#start ??= {done, at: performance.now()};
    if (done <= this.#start.done) return undefined;
    const seconds = ((performance.now() - this.#start.at) / 1000 / (done - this.#start.done)) * (total - done);
    if (seconds < 60) return `${Math.round(seconds)} s left`;
    if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min left`;
    return `${(seconds / 3600).toFixed(1)} h left`;
  }
}
