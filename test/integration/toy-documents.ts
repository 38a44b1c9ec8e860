import {seededRandom} from '../operators/seeded-random.ts';
import {toyDigest, toyHidden} from './toy-model.ts';

export type ToyRecord = {readonly key: string; readonly value: Buffer; readonly last: boolean};

export type ToyDocumentsOptions = {readonly count: number; readonly minBytes: number; readonly maxBytes: number};

/** Documents of random length, cut into records of 1 to 32 KB that lie in each other's way; the same for the same seed. */
export function toyDocuments(seed: number, {count, minBytes, maxBytes}: ToyDocumentsOptions) {
  const random = seededRandom(seed);
  const documents = new Map<string, Buffer>();
  const rests: {key: string; content: Buffer; start: number}[] = [];
  for (let i = 0; i < count; i++) {
    const content = Buffer.alloc(Math.round(minBytes * (maxBytes / minBytes) ** random()));
    for (let at = 0; at < content.length; at++) content[at] = 0x20 + Math.floor(random() * 0x5f);
    documents.set(`document-${seed}-${i}`, content);
    rests.push({key: `document-${seed}-${i}`, content, start: 0});
  }
  const records: ToyRecord[] = [];
  while (rests.length > 0) {
    const index = Math.floor(random() * rests.length);
    const rest = rests[index]!;
    const end = Math.min(rest.content.length, rest.start + 1024 + Math.floor(random() * 31 * 1024));
    const last = end === rest.content.length;
    records.push({key: rest.key, value: rest.content.subarray(rest.start, end), last});
    rest.start = end;
    if (last) rests.splice(index, 1);
  }
  return {documents, records};
}

export type ToyResult = {
  readonly segments: number;
  readonly tokens: number;
  readonly final: boolean;
  readonly embedding: readonly number[];
};

/** What reading a whole document must give, in order, worked out without any of the code that reads it. */
export function expectedResults(content: Uint8Array, segmentLength: number): ToyResult[] {
  const results: ToyResult[] = [];
  const sum = new Float64Array(4);
  let digest = 0;
  let segments = 0;
  for (let start = 0; start < content.length; start += segmentLength) {
    const tokens = content.subarray(start, start + segmentLength);
    digest = toyDigest(digest, tokens);
    const hidden = toyHidden(digest);
    for (let i = 0; i < 4; i++) sum[i]! += hidden[i]!;
    segments++;
    results.push({segments, tokens: start + tokens.length, final: false, embedding: normalised(hidden)});
  }
  results.push({segments, tokens: content.length, final: true, embedding: normalised(sum)});
  return results;
}

/** What a document's memory must be: the digest of its whole segments, and what does not fill one. */
export function expectedMemory(content: Uint8Array, segmentLength: number) {
  const segments = Math.floor(content.length / segmentLength);
  let digest = 0;
  for (let i = 0; i < segments; i++) {
    digest = toyDigest(digest, content.subarray(i * segmentLength, (i + 1) * segmentLength));
  }
  return {segments, digest, pendingTokens: [...content.subarray(segments * segmentLength)]};
}

function normalised(vector: ArrayLike<number>): number[] {
  const values = Array.from(vector);
  const norm = Math.sqrt(values.reduce((squares, value) => squares + value * value, 0));
  return values.map(value => Math.fround(value / norm));
}
