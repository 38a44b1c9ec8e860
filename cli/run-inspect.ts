import {StoreError} from '../errors.ts';
import {LmdbStore} from '../memory-store/lmdb-store.ts';
import type {MemoryRecord} from '../memory-store/memory-record.ts';
import {countOf} from './count-of.ts';

export type InspectOptions = {
  /** Folder of the store. */
  readonly store: string;
  readonly json?: boolean;
};

/** Documents that are listed at most. */
const listed = 100;

/** Prints what is remembered of a document, or without one, which documents are remembered. */
export async function runInspect(document: string | undefined, options: InspectOptions): Promise<void> {
  await using store = await LmdbStore.open(options.store, {readOnly: true});
  if (document === undefined) return await list(store, options);
  const record = await store.get(document);
  if (record === undefined) {
    throw new StoreError(
      `Cannot inspect "${document}" as the store at "${options.store}" must hold it: "palimpsest inspect --store ${options.store}" lists what it holds`,
    );
  }
  const description = describe(document, record, (await store.storedBytes(document))!);
  if (options.json) console.log(JSON.stringify(description, undefined, 2));
  else for (const [name, value] of Object.entries(description)) console.log(`${name.padEnd(18)}${text(value)}`);
}

async function list(store: LmdbStore, {json}: {json?: boolean}): Promise<void> {
  let count = 0;
  for await (const id of store.keys()) {
    count++;
    if (json) console.log(JSON.stringify({id}));
    else if (count <= listed) console.log(id);
  }
  if (json) return;
  console.log(count > listed ? `… and ${countOf(count - listed, 'more document')}` : countOf(count, 'document'));
}

function describe(id: string, record: MemoryRecord, storedBytes: number) {
  const {summary, memory, position} = record;
  const layers = memory.tensors.memory?.shape[0] ?? memory.tensors.compressedMemory?.shape[0] ?? 0;
  return {
    id,
    model: record.fingerprint,
    segments: record.segments,
    tokens: summary.tokens,
    pendingTokens: record.pendingTokens.length,
    heldBackBytes: record.carry.length,
    bitsPerByte: summary.bytes === 0 ? null : Number((summary.bits / summary.bytes).toFixed(6)),
    layers,
    memory: `${countOf(memory.memoryCount, 'slot')} in each layer`,
    compressedMemory: `${countOf(memory.compressedMemoryCount, 'slot')} in each layer`,
    storedBytes,
    lastPosition: {partition: position.partition, offset: String(position.offset)},
    lastTimestamp: new Date(record.timestamp).toISOString(),
  };
}

function text(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.values(value).join(' at ') : String(value ?? 'none yet');
}
