// node dist/examples/nearest-chapters.js split examples/data/frankenstein.txt > chapters.jsonl
// node dist/examples/nearest-chapters.js nearest results.jsonl "Volume I, Chapter IV"
import {readFileSync} from 'node:fs';
import {nearestByCosine} from './nearest-by-cosine.ts';
import {splitChapters} from './split-chapters.ts';

const [command, path, title] = process.argv.slice(2);

if (command === 'split' && path !== undefined) {
  for (const {title: id, text} of splitChapters(readFileSync(path, 'utf8'))) console.log(JSON.stringify({id, text}));
} else if (command === 'nearest' && path !== undefined && title !== undefined) {
  console.log(`Nearest to ${title}:`);
  for (const {id, cosine} of nearestByCosine(readFileSync(path, 'utf8').split('\n'), {id: title})) {
    console.log(`${cosine.toFixed(4).padStart(8)}  ${id}`);
  }
} else {
  console.error('Usage: nearest-chapters split <book> | nearest-chapters nearest <results> <title>');
  process.exitCode = 2;
}
