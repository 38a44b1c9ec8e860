/** The beginning of a value from JSON, for an error message. */
export function shownValue(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? 'missing').slice(0, 200);
  } catch {
    return 'nested too deep to be shown';
  }
}
