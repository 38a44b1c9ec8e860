/** Bytes in whole MB, for people. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
