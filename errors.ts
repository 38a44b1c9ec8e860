/** Base of the errors that a pipeline run can end with; `retriable` says whether reopening may help. */
export class PipelineError extends Error {
  override name = 'PipelineError';
  readonly retriable: boolean;

  constructor(message: string, {retriable = false, cause}: {retriable?: boolean; cause?: unknown} = {}) {
    super(message, cause === undefined ? undefined : {cause});
    this.retriable = retriable;
  }
}

/** Input could not be read. */
export class SourceError extends PipelineError {
  override name = 'SourceError';
}

/** Output could not be written or made durable. */
export class SinkError extends PipelineError {
  override name = 'SinkError';
}

/** One record could not be decoded; it goes to the dead letters with its position. */
export class DecodeError extends PipelineError {
  override name = 'DecodeError';
}

/** The memory store could not be opened, read or written. */
export class StoreError extends PipelineError {
  override name = 'StoreError';
}

/** A stored memory is truncated, damaged or not a memory at all. */
export class CorruptMemoryError extends StoreError {
  override name = 'CorruptMemoryError';
}

/** A stored memory was written by another model. */
export class MemoryMismatchError extends StoreError {
  override name = 'MemoryMismatchError';
}

/** Weights, configuration or tokenizer of a model cannot be used. */
export class ModelError extends PipelineError {
  override name = 'ModelError';
}

/** A step produced a value that is not finite. */
export class NumericalError extends PipelineError {
  override name = 'NumericalError';
}

/** The requested tensor engine cannot be loaded on this machine. */
export class EngineUnavailableError extends PipelineError {
  override name = 'EngineUnavailableError';
}

/** Another worker has taken a partition over; whoever gets this must stop working on it. */
export class FencedError extends PipelineError {
  override name = 'FencedError';
}
