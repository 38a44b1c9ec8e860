/** Memory that is given out again and again; it grows to what was needed at once. */
export class ReusedBuffer {
  #bytes = Buffer.alloc(0);
  #taken = 0;

  /** Lets all that was given out be given out again. */
  clear(): void {
    this.#taken = 0;
  }

  /** Gives memory that nothing else uses until {@link clear}, with anything in it. */
  take(length: number): Buffer {
    const start = this.#taken;
    this.#taken += length;
    if (this.#taken <= this.#bytes.length) return this.#bytes.subarray(start, this.#taken);
    // What was given out of the smaller one stays as it is.
    this.#bytes = Buffer.allocUnsafeSlow(this.#taken);
    return this.#bytes.subarray(start);
  }
}
