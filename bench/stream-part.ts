/** How far a stream had come at a moment. */
export type StreamSample = {readonly seconds: number; readonly tokens: number; readonly residentBytes: number};

/** What a part of a stream was like. */
export type StreamPart = {readonly tokensPerSecond: number; readonly residentBytes: number};

/**
 * The part of a stream between two counts of tokens: from the first sample at or beyond one to the first at or beyond the
 * other, with the memory that was resident at its end.
 *
 * @param samples In the order they were taken.
 */
export function streamPart(samples: readonly StreamSample[], {from, to}: {from: number; to: number}): StreamPart {
  const reached = (count: number) => samples.find(({tokens}) => tokens >= count);
  const [start, end] = [reached(from), reached(to)];
  if (start === undefined || end === undefined || end.tokens <= start.tokens) {
    throw new RangeError(
      `Cannot measure tokens ${from} to ${to} as samples must lie at both ends: stream is too short`,
    );
  }
  return {
    tokensPerSecond: (end.tokens - start.tokens) / (end.seconds - start.seconds),
    residentBytes: end.residentBytes,
  };
}
