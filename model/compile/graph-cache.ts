import {createHash, randomUUID} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pack, unpack} from 'msgpackr';
import {cacheFolder} from '../engine/cache-folder.ts';
import type {EncodedGraph} from './encoded-graph.ts';

/** Bytes of all graphs together; the least recently used go. */
const maxBytes = 256 * 2 ** 20;

/** Graphs of which only a part was written, by a process that ended, are removed after this time. In milliseconds */
const partialLifetime = 3_600_000;

const digestBytes = 32;
const extension = '.graph';

/**
 * Graphs on disk, so that a later process need not record them. Each is a file: a digest, and the graph packed.
 *
 * What cannot be read or written is as if it were not there: the graph is then recorded.
 */
export class GraphCache {
  readonly #folder = join(cacheFolder(), 'graphs');

  /** @returns `undefined` if there is none under the key, or if its file is damaged. */
  read(key: string): EncodedGraph | undefined {
    const path = this.#path(key);
    try {
      const content = readFileSync(path);
      const packed = content.subarray(digestBytes);
      if (!digestOf(packed).equals(content.subarray(0, digestBytes))) {
        rmSync(path, {force: true});
        return undefined;
      }
      const now = new Date();
      utimesSync(path, now, now);
      return unpack(packed) as EncodedGraph;
    } catch {
      return undefined;
    }
  }

  write(key: string, graph: EncodedGraph): void {
    const packed = pack(graph);
    if (packed.length > maxBytes) return;
    const partial = join(this.#folder, `${randomUUID()}.partial`);
    try {
      mkdirSync(this.#folder, {recursive: true});
      try {
        writeFileSync(partial, Buffer.concat([digestOf(packed), packed]));
        renameSync(partial, this.#path(key));
      } finally {
        rmSync(partial, {force: true});
      }
      this.#evict();
    } catch {
      // A full disk or a folder without permission costs a recording, nothing else.
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${key}${extension}`);
  }

  #evict(): void {
    const files = readdirSync(this.#folder).flatMap(name => {
      const path = join(this.#folder, name);
      // Another process may have removed it meanwhile.
      const status = statSync(path, {throwIfNoEntry: false});
      return status === undefined ? [] : [{path, bytes: status.size, used: status.mtimeMs}];
    });
    files.sort((a, b) => b.used - a.used);
    let total = 0;
    for (const {path, bytes, used} of files) {
      total += bytes;
      const isAbandoned = !path.endsWith(extension) && used < Date.now() - partialLifetime;
      if (total > maxBytes || isAbandoned) rmSync(path, {force: true});
    }
  }
}

function digestOf(packed: Uint8Array): Buffer {
  return createHash('sha256').update(packed).digest();
}
