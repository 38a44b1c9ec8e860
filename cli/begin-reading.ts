import {filePartition} from '../connectors/file-partition.ts';
import {OutputFile} from '../connectors/output-file.ts';
import {SourceError} from '../errors.ts';
import type {MemoryChange, MemoryStore} from '../memory-store/memory-store.ts';
import type {Progress} from '../pipeline/progress.ts';
import {PlacedDocuments} from './placed-documents.ts';

export type BeginReadingOptions = {
  /** Files, or - for standard input. */
  readonly inputs: readonly string[];
  /** Files that results and dead letters go to. */
  readonly outputs: readonly string[];
  /** Where to go on; without it, inputs are read anew. */
  readonly progress: Progress | undefined;
  /** Whether each input is a document of its own. */
  readonly inputIsDocument: boolean;
};

/** Begins to read inputs, or goes on, and gives the store to read them with. */
export async function beginReading(
  store: MemoryStore,
  {inputs, outputs, progress, inputIsDocument}: BeginReadingOptions,
): Promise<MemoryStore> {
  const partitions = new Map<string, string>();
  for (const input of inputs) partitions.set(input, input === '-' ? 'stdin' : await filePartition(input));
  if (progress === undefined) {
    for (const output of outputs) await OutputFile.check(output);
    const anew = new Set(partitions.values());
    // Before any output is touched: what goes on from an interruption that comes before the first checkpoint must not
    // take over where an earlier run had got to.
    await store.commit(forgotten(store, anew), {
      partitions: new Map([...anew].map(partition => [partition, {nextOffset: 0n, ended: false}])),
      outputs: empty(outputs),
    });
  } else {
    if (inputIsDocument) await checkNames(store, {partitions, progress});
    const added = outputs.filter(path => !progress.outputs.has(OutputFile.output(path)));
    for (const output of added) await OutputFile.checkEmpty(output);
    // So that it is known should the run end before its first checkpoint.
    await store.commit([], {partitions: new Map(), outputs: empty(added)});
  }
  return inputIsDocument ? new PlacedDocuments(store, partitions) : store;
}

function empty(outputs: readonly string[]): Map<string, bigint> {
  return new Map(outputs.map(path => [OutputFile.output(path), 0n]));
}

/**
 * A document is named as its input was; under another name, what was added would be read without its memory.
 *
 * @throws {SourceError} If an input was read under another name, or its memory has gone.
 */
async function checkNames(
  store: MemoryStore,
  {partitions, progress}: {partitions: ReadonlyMap<string, string>; progress: Progress},
): Promise<void> {
  const names = new Set<string>();
  for await (const name of store.keys({partitions: new Set(partitions.values())})) names.add(name);
  for (const [input, partition] of partitions) {
    if (names.has(input) || (progress.partitions.get(partition)?.nextOffset ?? 0n) === 0n) continue;
    for await (const name of store.keys({partitions: new Set([partition])})) {
      throw new SourceError(
        `Cannot go on reading "${input}" as its document must have the name that it was begun with, ${JSON.stringify(name)}: name the input so, or read it anew without --resume`,
      );
    }
    throw new SourceError(
      `Cannot go on reading "${input}" as the store must hold its memory: it holds none, or that of another file of this name; read it anew without --resume`,
    );
  }
}

/** What an earlier reading of some partitions left. */
async function* forgotten(store: MemoryStore, partitions: ReadonlySet<string>): AsyncGenerator<MemoryChange> {
  for await (const documentId of store.keys({partitions})) yield [documentId, undefined];
}
