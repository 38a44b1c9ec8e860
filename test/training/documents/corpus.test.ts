import test from 'ava';
import {ModelError} from '../../../errors.ts';
import {openCorpus} from '../../../training/documents/corpus.ts';
import {textDocuments} from '../text-documents.ts';

const header = 'Licence\r\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\r\n';
const footer = '*** END OF THE PROJECT GUTENBERG EBOOK X ***\r\nMore licence\r\n';

test('openCorpus counts only the text between the markers of Project Gutenberg', async t => {
  const texts = [`${header}The book\r\n${footer}`, 'No markers at all', `${header}No end`];
  const {documents, bytes} = await openCorpus(textDocuments(texts), {gutenberg: true, leastBytes: 1});
  const kept = texts.map((text, i) => text.slice(documents[i]!.start, documents[i]!.end));
  t.deepEqual(kept, ['The book\r\n', 'No markers at all', 'No end']);
  t.is(bytes, 10 + 17 + 6);
});

test('openCorpus finds markers far into a document', async t => {
  const text = `${'x\n'.repeat(9000)}${header}${'word\n'.repeat(9000)}${footer}`;
  const {documents} = await openCorpus(textDocuments([text]), {gutenberg: true, leastBytes: 1});
  t.is(text.slice(documents[0]!.start, documents[0]!.end), 'word\n'.repeat(9000));
});

test('openCorpus takes documents whole unless told otherwise', async t => {
  const text = `${header}The book\r\n${footer}`;
  const {bytes} = await openCorpus(textDocuments([text]), {gutenberg: false, leastBytes: 1});
  t.is(bytes, text.length);
});

test('openCorpus has another digest for other contents, and for another order', async t => {
  const digest = async (texts: string[]) =>
    (await openCorpus(textDocuments(texts), {gutenberg: false, leastBytes: 1})).digest;
  const base = await digest(['one', 'two']);
  t.is(await digest(['one', 'two']), base);
  t.not(await digest(['one', 'twO']), base);
  t.not(await digest(['two', 'one']), base);
  t.not(await digest(['onet', 'wo']), base);
});

test('openCorpus refuses documents without text, and no documents', async t => {
  const open = (texts: string[]) => openCorpus(textDocuments(texts), {gutenberg: true, leastBytes: 4});
  await t.throwsAsync(open([]), {instanceOf: ModelError, message: /as it must have documents: there are none/});
  await t.throwsAsync(open(['long enough', '']), {
    message: /Cannot use "text 1" as .* at least 4 bytes of text: it is empty; leave it out/,
  });
  await t.throwsAsync(open([`${header}a\n${footer}`]), {message: /current value is 2;/});
});
