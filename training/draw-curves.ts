/** A point of a curve. */
export type CurvePoint = {readonly x: number; readonly y: number};

export type Curve = {readonly name: string; readonly points: readonly CurvePoint[]};

export type CurvesOptions = {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Whether the horizontal axis is logarithmic. @default false */
  readonly logarithmic?: boolean;
};

const size = {width: 800, height: 450, left: 70, right: 20, top: 40, bottom: 50} as const;
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
/** More points than a picture has columns do not show. */
const mostPoints = 800;

/** Draws curves over a common axis as a picture in SVG. */
export function drawCurves(
  curves: readonly Curve[],
  {title, xLabel, yLabel, logarithmic = false}: CurvesOptions,
): string {
  const drawn = curves
    .filter(({points}) => points.length > 0)
    .map(curve => ({...curve, points: thinned(curve.points)}));
  const points = drawn.flatMap(curve => curve.points);
  const along = (x: number) => (logarithmic ? Math.log10(Math.max(x, 1)) : x);
  const horizontal = span(points.map(({x}) => along(x)));
  const vertical = span(points.map(({y}) => y));
  const right = size.width - size.right;
  const bottom = size.height - size.bottom;
  const left = (x: number) => size.left + ((along(x) - horizontal.least) / horizontal.extent) * (right - size.left);
  const top = (y: number) => bottom - ((y - vertical.least) / vertical.extent) * (bottom - size.top);
  const text = (x: number, y: number, content: string, attributes = '') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
  const grid = ticks(vertical).map(
    y =>
      `<line x1="${size.left}" x2="${right}" y1="${top(y).toFixed(1)}" y2="${top(y).toFixed(1)}" stroke="#ddd"/>` +
      text(size.left - 8, top(y) + 4, label(y), 'text-anchor="end"'),
  );
  const marks = ticks(horizontal).map(position => {
    const x = logarithmic ? 10 ** position : position;
    return text(left(x), bottom + 20, label(x), 'text-anchor="middle"');
  });
  const lines = drawn.map(({name, points}, index) => {
    const colour = colours[index % colours.length]!;
    const path = points.map(({x, y}) => `${left(x).toFixed(1)},${top(y).toFixed(1)}`).join(' ');
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>` +
      text(right - 8, size.top + 16 * (index + 1), name, `text-anchor="end" fill="${colour}"`)
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="white"/>
${text(size.left, 24, title, 'font-size="15"')}
${grid.join('\n')}
${marks.join('\n')}
${text((size.left + right) / 2, size.height - 10, xLabel, 'text-anchor="middle"')}
${text(16, size.top - 10, yLabel)}
${lines.join('\n')}
</svg>
`;
}

function span(values: readonly number[]): {least: number; extent: number} {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return {least: 0, extent: 1};
  const least = finite.reduce((a, b) => Math.min(a, b));
  const most = finite.reduce((a, b) => Math.max(a, b));
  return {least, extent: most - least || 1};
}

/** Round numbers within a span, about five of them. */
function ticks({least, extent}: {least: number; extent: number}): number[] {
  const power = 10 ** Math.floor(Math.log10(extent / 5));
  const step = power * ([1, 2, 5, 10].find(factor => extent / (power * factor) <= 6) ?? 10);
  const first = Math.ceil(least / step);
  const count = Math.floor((least + extent) / step) - first + 1;
  return Array.from({length: Math.max(0, count)}, (_, index) => (first + index) * step);
}

function label(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function thinned(points: readonly CurvePoint[]): readonly CurvePoint[] {
  const finite = points.filter(({x, y}) => Number.isFinite(x) && Number.isFinite(y));
  const every = Math.ceil(finite.length / mostPoints);
  return finite.filter((_, index) => index % every === 0 || index === finite.length - 1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
