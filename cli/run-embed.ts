import {DeadLetterFile} from '../connectors/dead-letter-file.ts';
import {FileSink} from '../connectors/file-sink.ts';
import {FileSource} from '../connectors/file-source.ts';
import {resolveInputs} from '../connectors/resolve-inputs.ts';
import {StdoutSink} from '../connectors/stdout-sink.ts';
import {InMemoryStore} from '../memory-store/in-memory-store.ts';
import {LmdbStore} from '../memory-store/lmdb-store.ts';
import type {MemoryDtype} from '../memory-store/memory-dtype.ts';
import type {MemoryStore} from '../memory-store/memory-store.ts';
import type {EngineName} from '../model/engine/engine.ts';
import {openModel} from '../model/open-model.ts';
import type {PrecisionChoice} from '../model/precision.ts';
import {DecodeStream} from '../operators/decode-stream.ts';
import type {Decoder} from '../operators/decoder.ts';
import {EncodeStream} from '../operators/encode-stream.ts';
import {JsonLinesDecoder} from '../operators/json-lines-decoder.ts';
import {KeyedLinesDecoder} from '../operators/keyed-lines-decoder.ts';
import {RememberStream} from '../operators/remember-stream.ts';
import {CheckpointSchedule} from '../pipeline/checkpoint-schedule.ts';
import type {DocumentChunk} from '../pipeline/document-chunk.ts';
import {Pipeline} from '../pipeline/pipeline.ts';
import type {Progress} from '../pipeline/progress.ts';
import {beginReading} from './begin-reading.ts';
import {bytesToRead} from './bytes-to-read.ts';
import {checkEmbedOptions} from './check-embed-options.ts';
import {countOf} from './count-of.ts';
import {CountedDeadLetters} from './counted-dead-letters.ts';
import {deadLetterPath} from './dead-letter-path.ts';
import {decodesLines} from './decodes-lines.ts';
import {engineLine} from './engine-line.ts';
import {ReadingProgress} from './reading-progress.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';

export type EmbedOptions = {
  readonly inputs: readonly string[];
  readonly model: string;
  readonly store: string;
  readonly engine: EngineName | 'auto';
  readonly out: string;
  readonly every: 'segment' | 'document';
  readonly format: 'text' | 'lines' | 'jsonl';
  readonly idField?: string;
  readonly textField?: string;
  readonly batch: number;
  readonly maxWait?: number;
  readonly threads?: number;
  readonly compile: boolean;
  readonly precision: PrecisionChoice;
  readonly dtype: MemoryDtype;
  readonly resume?: boolean;
  readonly strict?: boolean;
  readonly allowBinary?: boolean;
  readonly deadLetters?: string;
  readonly checkpointBytes: number;
  readonly quiet?: boolean;
};

/** Files do not trickle, and without a limit the order of results depends on them alone. */
const standardInputMaxWaitMs = 1000;

/** Runs `palimpsest embed`. */
export async function runEmbed(options: EmbedOptions): Promise<void> {
  using stop = stopSignals();
  const inputs = await resolveInputs(options.inputs);
  await checkEmbedOptions({...options, inputs});
  const decodes = decodesLines(options);
  // Fields are checked before the model is opened.
  if (decodes) lineDecoder(options, undefined);
  const {engine, compile, precision, threads} = options;
  const {model, tokenizer, trained} = await openModel(options.model, {
    engine,
    compile,
    precision,
    ...(threads && {threads}),
  });
  await using _model = model;
  await using store = await openStore(options, model.fingerprint);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  if (!trained) say(`Model "${model.name}" is untrained: its embeddings tell documents apart, but mean little`);
  if (!options.quiet) say(`Reading with ${engineLine(model.engine)}`);

  const progress = options.resume ? await store.progress() : undefined;
  const letterPath = deadLetterPath(options);
  const reading = await beginReading(store, {
    inputs,
    outputs: [options.out === '-' ? undefined : options.out, letterPath].filter(path => path !== undefined),
    progress,
    inputIsDocument: !decodes,
  });
  await using deadLetters =
    letterPath === undefined ? undefined : new CountedDeadLetters(new DeadLetterFile(letterPath, {progress}));
  const checkpoints = new CheckpointSchedule({bytes: options.checkpointBytes});
  let remember: RememberStream | undefined;
  using shown = new ReadingProgress({
    totalBytes: await bytesToRead(inputs, progress),
    statistics: () => remember?.statistics,
    quiet: options.quiet ?? false,
  });
  const concurrency = decodes ? 1 : Math.min(options.batch, inputs.length);
  await using source = new FileSource({
    inputs,
    concurrency,
    split: !decodes ? 'chunks' : options.format === 'jsonl' ? 'lines' : 'whole-lines',
    rereadFromStart: decodes && options.format === 'lines',
    allowBinary: options.allowBinary ?? false,
  });
  await using sink = options.out === '-' ? new StdoutSink() : new FileSink(options.out);
  try {
    const chunks: Pipeline<DocumentChunk> = Pipeline.from(source);
    const decode = () => new DecodeStream(lineDecoder(options, progress), {...(deadLetters && {deadLetters})});
    await (decodes ? chunks.through(decode) : chunks)
      .through(({signal}) => {
        remember = new RememberStream({
          signal,
          model,
          store: reading,
          tokenizer,
          checkpoints,
          every: options.every,
          batch: decodes ? options.batch : concurrency,
          maxWaitMs: options.maxWait ?? (inputs.includes('-') ? standardInputMaxWaitMs : Number.POSITIVE_INFINITY),
          strict: options.strict ?? false,
        });
        return remember;
      })
      .through(() => new EncodeStream())
      .to(sink, {signal: stop.signal, checkpoints, ...(progress && {progress})});
  } catch (error) {
    if (!(error instanceof StopRequest)) throw error;
    process.exitCode = error.exitCode;
    shown[Symbol.dispose]();
    const advice = options.store === 'memory' ? '' : '; --resume goes on from the last checkpoint';
    say(`${error.message} after ${shown.summary()}${advice}`);
    return;
  }
  shown[Symbol.dispose]();
  if (!options.quiet) say(`Read ${shown.summary()}`);
  const {replaced = 0, emptyDocuments = 0} = remember?.statistics ?? {};
  if (replaced > 0)
    say(`Read ${countOf(replaced, 'ill-formed UTF-8 sequence')} as U+FFFD; --strict stops there instead`);
  if (emptyDocuments > 0) say(`Passed over ${countOf(emptyDocuments, 'document')} without text`);
  if (deadLetters !== undefined && deadLetters.count > 0) {
    say(`Put ${countOf(deadLetters.count, 'line')} that could not be decoded into "${letterPath}"`);
  }
}

/** What turns lines into documents. */
function lineDecoder(options: EmbedOptions, progress: Progress | undefined): Decoder {
  const {format, idField, textField} = options;
  if (format === 'jsonl') {
    return new JsonLinesDecoder({...(idField !== undefined && {idField}), ...(textField !== undefined && {textField})});
  }
  return new KeyedLinesDecoder({idField: /^\d+$/.test(idField!) ? Number(idField) : idField!, progress});
}

async function openStore({store, dtype}: EmbedOptions, fingerprint: string): Promise<MemoryStore> {
  return store === 'memory' ? new InMemoryStore() : LmdbStore.open(store, {dtype, fingerprint});
}
