/** Longest delay of a timer of Node.js, in milliseconds; a longer one makes it fire at once. */
const longestDelay = 2 ** 31 - 1;

/**
 * The delay to give a timer for a time that may be longer than a timer can wait, or infinite.
 *
 * A timer may thus fire early: what it calls looks at the clock, and sets it again.
 *
 * @param milliseconds How long to wait.
 * @returns That, or the longest delay that there is: 24 days and 20 hours.
 */
export function timerDelay(milliseconds: number): number {
  return Math.min(milliseconds, longestDelay);
}
