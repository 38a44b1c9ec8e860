import type {RememberStreamOptions} from './remember-stream-options.ts';

type WithDefault = 'every' | 'batch' | 'bufferedTokens' | 'maxWaitMs' | 'idleMs' | 'expireAfterMs';

export type ResolvedRememberOptions = Omit<RememberStreamOptions, WithDefault | 'openMemoryBytes'> &
  Required<Pick<RememberStreamOptions, WithDefault>> & {readonly openMemoryBytes: () => number};

/**
 * Options with their defaults.
 *
 * @throws {RangeError} If a number is out of range, or the tokenizer gives tokens that the model does not know.
 */
export function resolveRememberOptions(options: RememberStreamOptions): ResolvedRememberOptions {
  const {model, tokenizer, every = 'document', batch = 1, openMemoryBytes = 2 ** 30} = options;
  const {bufferedTokens = 131_072 * batch, maxWaitMs = Number.POSITIVE_INFINITY} = options;
  const {idleMs = Number.POSITIVE_INFINITY, expireAfterMs = Number.POSITIVE_INFINITY} = options;
  for (const [name, value] of Object.entries({
    batch,
    bufferedTokens,
    ...(typeof openMemoryBytes === 'number' && {openMemoryBytes}),
  })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new RangeError(
      `Cannot construct RememberStream as ${name} must be a positive integer: current value is ${value}`,
    );
  }
  if (!(maxWaitMs >= 0)) {
    throw new RangeError(
      `Cannot construct RememberStream as maxWaitMs must be 0 or more: current value is ${maxWaitMs}`,
    );
  }
  for (const [name, value] of Object.entries({idleMs, expireAfterMs})) {
    if (value > 0) continue;
    throw new RangeError(`Cannot construct RememberStream as ${name} must be positive: current value is ${value}`);
  }
  if (tokenizer.vocabularySize > model.config.vocabularySize) {
    throw new RangeError(
      `Cannot construct RememberStream as the model knows ${model.config.vocabularySize} tokens: the tokenizer has ${tokenizer.vocabularySize}`,
    );
  }
  return {
    ...options,
    every,
    batch,
    bufferedTokens,
    maxWaitMs,
    idleMs,
    expireAfterMs,
    openMemoryBytes: typeof openMemoryBytes === 'number' ? () => openMemoryBytes : openMemoryBytes,
  };
}
