export type Chapter = {readonly title: string; readonly text: string};

/** A heading of a letter or chapter, the title where it is repeated, a volume's number, or the line that ends a volume. */
const DIVISION =
  /^(?:(LETTER|CHAPTER) ([IVXLC]+)\.| *VOL\. ([IVXLC]+)\.| *FRANKENSTEIN;|END OF VOL\. [IVXLC]+\.|THE END\.)$/gm;

/**
 * Splits the sample book, or one set like it, into its letters and chapters, without title pages and what stands before the first.
 *
 * Titles read `Letter I` and `Chapter I`, or `Volume I, Chapter I` in a novel whose volumes count their chapters anew.
 *
 * @param text Lines end in line feeds.
 */
export function splitChapters(text: string): Chapter[] {
  const chapters: Chapter[] = [];
  const divisions = [...text.matchAll(DIVISION)];
  let volume = '';
  for (const [index, division] of divisions.entries()) {
    const [heading, kind, number, startedVolume] = division;
    if (startedVolume !== undefined) volume = `Volume ${startedVolume}, `;
    if (kind === undefined) continue;
    const start = division.index + heading.length;
    const content = text.slice(start, divisions[index + 1]?.index ?? text.length).trim();
    const title = kind === 'LETTER' ? `Letter ${number}` : `${volume}Chapter ${number}`;
    chapters.push({title, text: `${content}\n`});
  }
  return chapters;
}
