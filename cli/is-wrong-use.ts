/**
 * Whether an error says what of the arguments, configuration or data is wrong, as those do that this project throws; JavaScript itself throws
 * the same types where the program is wrong.
 */
export function isWrongUse(error: unknown): boolean {
  if (!(error instanceof TypeError || error instanceof RangeError)) return false;
  // What JavaScript says when "undefined" is destructured has our form.
  return /^Cannot .+ as /s.test(error.message) && !error.message.startsWith('Cannot destructure ');
}
