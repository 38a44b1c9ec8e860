/** A line that `palimpsest embed` writes. */
export type Result = {
  readonly id: string;
  readonly embedding: readonly number[];
  readonly dimension: number;
  readonly tokens: number;
  readonly segments: number;
  readonly bitsPerByte: number;
  readonly final: boolean;
  readonly model: {readonly name: string; readonly fingerprint: string};
};

/** What `palimpsest embed` wrote, line by line. */
export function parseResults(text: string): Result[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}
