/** What the command ends with; documented in docs/cli.md. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;
