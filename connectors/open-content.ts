import {constants, open as openDescriptor} from 'node:fs';
import {open, stat} from 'node:fs/promises';
import {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import {promisify} from 'node:util';
import {SourceError} from '../errors.ts';
import type {ByteReader} from './byte-reader.ts';
import {DiskReader} from './disk-reader.ts';
import {GunzipReader} from './gunzip-reader.ts';
import {InputBuffer} from './input-buffer.ts';
import {StreamReader} from './stream-reader.ts';

const GZIP_MAGIC = [0x1f, 0x8b, 0x08];

/** An input at its start, decompressed if it is gzip. */
export type Content = {
  readonly buffer: InputBuffer;
  /** Event time of all its records, in milliseconds since 1970. */
  readonly timestamp: number;
  /** Whether opening it once more gives the same bytes again. */
  readonly repeatable: boolean;
  /** In bytes, if it is known without reading. */
  readonly size?: number;
};

/** Opens a file by its path, or a stream. When `signal` is aborted it is closed, and a read in flight ends. */
export async function openContent(input: string | Readable, {signal}: {signal: AbortSignal}): Promise<Content> {
  const {reader, ...about} = typeof input === 'string' ? await openFile(input) : openStream(input);
  const raw = new InputBuffer(closedBy(signal, reader), {live: !about.repeatable});
  try {
    signal.throwIfAborted();
    if (!(await isGzip(raw))) return {buffer: raw, ...about};
    const {timestamp, repeatable} = about;
    return {buffer: new InputBuffer(new GunzipReader(raw)), timestamp, repeatable};
  } catch (error) {
    await raw.close();
    throw error;
  }
}

type Opened = Omit<Content, 'buffer'> & {readonly reader: ByteReader};

async function openFile(path: string): Promise<Opened> {
  const before = await stat(path);
  if (before.isFIFO()) return {...openStream(await openPipe(path)), timestamp: Math.floor(before.mtimeMs)};
  const handle = await open(path);
  const status = await handle.stat();
  const timestamp = Math.floor(status.mtimeMs);
  const repeatable = status.isFile();
  const reader = new DiskReader(handle, {seekable: repeatable});
  return repeatable ? {reader, timestamp, repeatable, size: status.size} : {reader, timestamp, repeatable};
}

/** A named pipe or process substitution, which nobody need have opened for writing yet. */
async function openPipe(path: string): Promise<Readable> {
  // Neither opening nor a read then keeps a thread that only a writer could free.
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({fd, readable: true, writable: false});
}

function openStream(stream: Readable): Opened {
  if (stream.destroyed || stream.readableEnded) {
    throw new SourceError('Cannot read standard input as it can be read only once: it has been read already');
  }
  return {reader: new StreamReader(stream), timestamp: Date.now(), repeatable: false};
}

function closedBy(signal: AbortSignal, reader: ByteReader): ByteReader {
  const close = (): Promise<void> => {
    signal.removeEventListener('abort', close);
    return reader.close();
  };
  signal.addEventListener('abort', close);
  const {seek} = reader;
  return seek === undefined
    ? {read: () => reader.read(), close}
    : {read: () => reader.read(), seek: position => seek(position), close};
}

async function isGzip(raw: InputBuffer): Promise<boolean> {
  // One byte is enough for most texts: more of a terminal's input may be slow to come.
  await raw.fill(1);
  if (raw.peek(1)[0] !== GZIP_MAGIC[0]) return false;
  await raw.fill(GZIP_MAGIC.length);
  const start = raw.peek(GZIP_MAGIC.length);
  return GZIP_MAGIC.every((byte, index) => start[index] === byte);
}
