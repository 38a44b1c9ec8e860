export type ProgressLine = {
  /** Characters that it may take. */
  readonly columns: number;
  /** Share of the work that is done, from 0 to 1, if it is known. */
  readonly share: number | undefined;
  /** What else there is to say, the most important first. */
  readonly parts: readonly string[];
};

const bar = {least: 10, most: 40};

/** From this width on, what else there is to say leaves room for a bar. */
const wide = 60;

/** One line on how far work is: a bar, a percentage and what else fits. */
export function progressLine({columns, share, parts}: ProgressLine): string {
  const texts = share === undefined ? [] : [`${Math.floor(100 * share)} %`];
  const most = share === undefined || columns < wide ? columns : columns - bar.least - 1;
  let length = texts.join(' | ').length;
  for (const part of parts) {
    const separator = texts.length === 0 ? 0 : ' | '.length;
    if (length + separator + part.length > most) break;
    texts.push(part);
    length += separator + part.length;
  }
  const line = texts.join(' | ').slice(0, columns);
  const room = Math.min(bar.most, columns - line.length - 1);
  if (share === undefined || room < bar.least) return line;
  const full = Math.floor(share * room);
  return `${'█'.repeat(full)}${'░'.repeat(room - full)} ${line}`;
}
