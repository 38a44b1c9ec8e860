export {DeadLetterFile, type DeadLetterFileOptions} from './dead-letter-file.ts';
export {FileSink} from './file-sink.ts';
export {FileSource, type FileSourceOptions} from './file-source.ts';
export {looksBinary} from './looks-binary.ts';
export {resolveInputs} from './resolve-inputs.ts';
export {StdoutSink, type StdoutSinkOptions} from './stdout-sink.ts';
