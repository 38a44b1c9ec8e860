// node dist/examples/unusual-lines.js results.jsonl synthetic.log 4
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {HuggingFaceTokenizer} from '../model/index.ts';
import {unusualSegments} from './unusual-segments.ts';

const [resultsPath, logPath, column] = process.argv.slice(2);

if (resultsPath === undefined || logPath === undefined || column === undefined) {
  console.error('Usage: unusual-lines <results of --every segment> <log> <column of the document id>');
  process.exit(2);
}

/** That of the model which comes along, with which the results were made. */
const tokenizer = await HuggingFaceTokenizer.open(
  fileURLToPath(new URL('../../models/base/tokenizer.json', import.meta.url)),
);

/** Of each document, the lines of the log and where each ends, in bytes. */
const documents = new Map<string, {number: number; end: number; line: string}[]>();
for (const [index, line] of readFileSync(logPath, 'utf8').split('\n').entries()) {
  const id = line.trim().split(/\s+/)[Number(column) - 1];
  if (id === undefined) continue;
  const lines = documents.get(id) ?? [];
  lines.push({number: index + 1, end: (lines.at(-1)?.end ?? 0) + Buffer.byteLength(line) + 1, line});
  documents.set(id, lines);
}

/** Bytes of a document before each of its tokens. */
function tokenStarts(id: string): number[] {
  const text = (documents.get(id) ?? []).map(({line}) => `${line}\n`).join('');
  let bytes = 0;
  return [...tokenizer.push(new Uint8Array(0), Buffer.from(text), true).byteLengths].map(length => {
    bytes += length;
    return bytes - length;
  });
}

console.log('Segments least like the rest of their document:');
for (const {id, start, end, distance} of unusualSegments(readFileSync(resultsPath, 'utf8').split('\n'))) {
  const starts = tokenStarts(id);
  const [first = 0, behind = Number.POSITIVE_INFINITY] = [starts[start], starts[end]];
  const lines = (documents.get(id) ?? []).filter(
    (line, index, all) => line.end > first && (all[index - 1]?.end ?? 0) < behind,
  );
  console.log(`${distance.toFixed(4).padStart(8)}  ${id}`);
  for (const {number, line} of lines) console.log(`          ${String(number).padStart(5)}  ${line}`);
}
