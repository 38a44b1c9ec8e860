export {DecodeStream, type DecodeStreamOptions} from './decode-stream.ts';
export type {Decoder} from './decoder.ts';
export type {Embedding} from './embedding.ts';
export {
  EncodeMessageStream,
  type EncodeMessageStreamOptions,
  type ResultFormat,
  resultFormats,
} from './encode-message-stream.ts';
export {EncodeStream} from './encode-stream.ts';
export {JsonLinesDecoder, type JsonLinesDecoderOptions} from './json-lines-decoder.ts';
export {KeyedLinesDecoder, type KeyedLinesDecoderOptions} from './keyed-lines-decoder.ts';
export {MessageDecoder, type MessageDecoderOptions, type MessageFormat, messageFormats} from './message-decoder.ts';
export type {ReadingStatistics} from './reading-statistics.ts';
export {RememberStream} from './remember-stream.ts';
export type {RememberStreamOptions} from './remember-stream-options.ts';
export type {ReadSegment} from './segment-reader.ts';
