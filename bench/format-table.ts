/**
 * Lines up rows of cells under their headings: text to the left, columns of numbers to the right.
 *
 * @param headings One for each column; a heading that starts with ">" marks a column of numbers.
 */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = headings.map(heading => heading.replace(/^>/, ''));
  const strange = rows.find(row => row.length !== headings.length);
  if (strange !== undefined) {
    throw new RangeError(
      `Cannot format a table as each row must have ${headings.length} cells: current value is ${strange.length}`,
    );
  }
  const table = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...table.map(row => row[column]!.length)));
  return table
    .map(row =>
      row
        .map((text, column) =>
          headings[column]!.startsWith('>') ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
