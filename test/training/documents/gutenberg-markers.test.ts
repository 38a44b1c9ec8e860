import test from 'ava';
import {GutenbergMarkers} from '../../../training/documents/gutenberg-markers.ts';

const text = 'The book.\r\n*** a line of stars ***\r\nIts end.\r\n';

for (const stars of ['*** ', '***']) {
  test(`GutenbergMarkers finds the text between "${stars}START OF" and "${stars}END OF" in pieces of any size`, t => {
    const document = `About it\r\n${stars}START OF THE BOOK${stars}\r\n${text}${stars}END OF THE BOOK${stars}\r\nLicence\r\n`;
    for (const size of [1, 3, 20, 1000]) {
      const markers = new GutenbergMarkers();
      for (let start = 0; start < document.length; start += size)
        markers.push(Buffer.from(document.slice(start, start + size)));
      const {start, end} = markers.range(document.length);
      t.is(document.slice(start, end), text, `${size} bytes at a time`);
    }
  });
}

test('GutenbergMarkers takes all of a text without markers', t => {
  const markers = new GutenbergMarkers();
  markers.push(Buffer.from(text));
  t.deepEqual(markers.range(text.length), {start: 0, end: text.length});
});
