import test from 'ava';
import {drawCurves} from '../../training/draw-curves.ts';

const labels = {title: 'A & B', xLabel: 'steps', yLabel: 'bits'};

test('drawCurves draws each curve from its first to its last point, downwards for falling values', t => {
  const svg = drawCurves(
    [
      {
        name: '<one>',
        points: [
          {x: 0, y: 4},
          {x: 10, y: 2},
        ],
      },
    ],
    labels,
  );
  const [, first, last] = /<polyline points="([\d.,]+) ([\d.,]+)"/.exec(svg)!;
  t.deepEqual([first, last], ['70.0,40.0', '780.0,400.0']);
  t.true(svg.includes('A &amp; B') && svg.includes('&lt;one>'));
});

test('drawCurves draws a picture without points, and leaves out what is not finite', t => {
  t.regex(drawCurves([], labels), /^<svg .*<\/svg>\n$/s);
  const svg = drawCurves(
    [
      {
        name: 'one',
        points: [
          {x: 1, y: Number.NaN},
          {x: 1, y: 1},
          {x: 2, y: 1},
        ],
      },
    ],
    labels,
  );
  t.notRegex(svg, /NaN|Infinity/);
});

test('drawCurves keeps a long curve small', t => {
  const points = Array.from({length: 100_000}, (_, x) => ({x, y: Math.sin(x)}));
  const svg = drawCurves([{name: 'one', points}], labels);
  t.true(svg.length < 20_000);
  t.true(svg.includes(' 780.0,'));
});

test('drawCurves spaces powers of ten evenly on a logarithmic axis', t => {
  const points = [1, 10, 100].map(x => ({x, y: x}));
  const svg = drawCurves([{name: 'one', points}], {...labels, logarithmic: true});
  const xs = [.../<polyline points="([^"]+)"/.exec(svg)![1]!.matchAll(/([\d.]+),/g)].map(match => Number(match[1]));
  t.deepEqual(xs, [70, 425, 780]);
});
