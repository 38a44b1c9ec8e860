/** What the conformance suites assert with: a part of what AVA passes to a test. */
export type Assertions = {
  is(actual: unknown, expected: unknown, message?: string): unknown;
  deepEqual(actual: unknown, expected: unknown, message?: string): unknown;
  true(actual: unknown, message?: string): unknown;
  /** @returns What the promise was rejected with. */
  throwsAsync(
    promise: Promise<unknown>,
    expected?: {instanceOf?: new (...args: never[]) => Error; message?: string | RegExp},
  ): Promise<unknown>;
  pass(): unknown;
  fail(): unknown;
};

/** Adds a test, as AVA's `test` does: its type stands here, so that users of the suites need no other package. */
export type TestFunction = (title: string, body: (t: Assertions) => Promise<void>) => void;
