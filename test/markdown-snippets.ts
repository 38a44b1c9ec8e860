/** A fenced block of a Markdown page. */
export type Snippet = {
  /** What stands behind the fence, such as `ts`. */
  readonly language: string;
  readonly text: string;
  /** Line of the fence, from 1 on. */
  readonly line: number;
};

/** The fenced blocks of a Markdown page. */
export function markdownSnippets(page: string): Snippet[] {
  return [...page.matchAll(/^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm)].map(({groups, index}) => ({
    language: groups!.language!,
    text: groups!.text!,
    line: page.slice(0, index).split('\n').length,
  }));
}
