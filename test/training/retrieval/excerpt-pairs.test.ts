import test from 'ava';
import {DecodeError} from '../../../errors.ts';
import {parseExcerptPairs} from '../../../training/retrieval/excerpt-pairs.ts';

function lines(...ids: string[]): string {
  return ids.map(id => JSON.stringify({id, text: `text of ${id}`})).join('\n');
}

test('parseExcerptPairs finds the other excerpt of each', t => {
  const {ids, texts, partners} = parseExcerptPairs(
    `${lines('x#a', 'y#1#b', '\n#b')}\n\n${lines('x#b', 'y#1#a', '\n#a')}\n`,
    {path: 'p.jsonl'},
  );
  t.deepEqual(ids, ['x#a', 'y#1#b', '\n#b', 'x#b', 'y#1#a', '\n#a']);
  t.is(texts[1], 'text of y#1#b');
  t.deepEqual(partners, [3, 4, 5, 0, 1, 2]);
});

for (const [what, content, message] of [
  ['an excerpt without its other one', lines('x#a', 'x#b', 'y#a'), /needs its other one: add "y#b"$/],
  ['an id twice', lines('x#a', 'x#b', 'x#a'), /line 3 of "p.jsonl" .*"x#a" stood before/],
  ['an id of another form', lines('x#a', 'x#c'), /line 2 .*current value is "x#c"/],
  ['one document only', lines('x#a', 'x#b'), /two documents or more: current value is 1$/],
  ['no document', '', /current value is 0$/],
  ['what is not JSON', `${lines('x#a')}\n{`, /line 2 of "p.jsonl" as it is not JSON/],
  ['null', 'null', /line 1 .*"#a" or "#b"/],
  ['a blank text', '{"id": "x#a", "text": " "}', /line 1 of "p.jsonl" .*not blank/],
] as const) {
  test(`parseExcerptPairs refuses ${what}`, t => {
    t.throws(() => parseExcerptPairs(content, {path: 'p.jsonl'}), {instanceOf: DecodeError, message});
  });
}
