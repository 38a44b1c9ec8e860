import {createHash} from 'node:crypto';
import {dirname, join} from 'node:path';
import {Tokenizer as HuggingFaceLibrary} from '@huggingface/tokenizers';
import {ModelError} from '../../errors.ts';
import {canonicalJson} from '../canonical-json.ts';
import {readJsonFile} from '../read-json-file.ts';
import {blankToken} from './blank-token.ts';
import type {CutRule} from './cut-rule.ts';
import {deriveCutRule} from './derive-cut-rule.ts';
import {findCut, longestStretch} from './find-cut.ts';
import {joinBytes} from './join-bytes.ts';
import {mayDropText} from './may-drop-text.ts';
import {parseTokenizerDefinition} from './parse-tokenizer-definition.ts';
import {surfaceLength} from './surface-length.ts';
import {toInputLengths} from './to-input-lengths.ts';
import {toWellFormedUtf8} from './to-well-formed-utf8.ts';
import {tokenByteLengths} from './token-byte-lengths.ts';
import type {TokenizedChunk, Tokenizer} from './tokenizer.ts';

type Stretch = {readonly ids: readonly number[]; readonly byteLengths: readonly number[]};

const cachedStretches = 65_536;
const longestCachedStretch = 64;

export type HuggingFaceTokenizerOptions = {
  /** For error messages. @default 'tokenizer.json' */
  readonly path?: string;
  /** Content of `tokenizer_config.json`, parsed. @default {} */
  readonly config?: unknown;
};

/**
 * A tokenizer from a `tokenizer.json`, computed by `@huggingface/tokenizers`, without the special tokens of its template.
 *
 * The text is cut into stretches at places where tokens on both sides are those of the whole text; see {@link CutRule}.
 * Each stretch is tokenised by itself, so that cutting elsewhere changes nothing; one stretch is held back, of at most
 * 64 KiB.
 *
 * Text that no token stands for, such as white space for BERT, counts to the stretch before it, or to the one after it at
 * the start of a document; such a tokenizer holds back both. A document of nothing else, or more than 64 KiB of it,
 * becomes one unknown token.
 */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly fingerprint: string;
  readonly #library: HuggingFaceLibrary;
  readonly #rule: CutRule;
  /** Stands for text that gives no token. */
  readonly #blank: number;
  readonly #mayDrop: boolean;
  readonly #surfaceLength: (token: string) => number;
  readonly #cache = new Map<string, Stretch>();
  readonly #path: string;

  /**
   * Reads a `tokenizer.json`, and the `tokenizer_config.json` beside it if there is one.
   *
   * @throws {ModelError} If a file cannot be read, or the tokenizer cannot be used.
   */
  static async open(path: string): Promise<HuggingFaceTokenizer> {
    const json = await readJsonFile(path);
    const config = await readJsonFile(join(dirname(path), 'tokenizer_config.json'), {optional: true});
    return new HuggingFaceTokenizer(json, {path, config: config ?? {}});
  }

  /**
   * @param json Content of a `tokenizer.json`, parsed.
   * @throws {ModelError} If it is not a tokenizer, or one whose text cannot be cut without changing its tokens.
   */
  constructor(json: unknown, {path = 'tokenizer.json', config = {}}: HuggingFaceTokenizerOptions = {}) {
    const definition = parseTokenizerDefinition(json, {path});
    const {model, addedTokens, vocabulary} = definition;
    for (const option of ['remove_space', 'do_lowercase_and_remove_accent']) {
      if ((config as Record<string, unknown> | null)?.[option]) {
        throw new ModelError(
          `Cannot load "${path}" as text must be cut into stretches without changing its tokens: current tokenizer_config.json sets ${option}; use another tokenizer, or the byte tokenizer`,
        );
      }
    }
    const {normalizer, pre_tokenizer, decoder} = json as Record<string, unknown>;
    const parts = {
      normalizer: normalizer ?? null,
      pre_tokenizer: pre_tokenizer ?? null,
      model,
      added_tokens: addedTokens,
    };
    try {
      this.#library = new HuggingFaceLibrary(
        {...parts, decoder: decoder ?? null, post_processor: null},
        {clean_up_tokenization_spaces: false},
      );
    } catch (error) {
      throw new ModelError(`Cannot load "${path}" as ${(error as Error).message}; use a supported tokenizer`, {
        cause: error,
      });
    }
    this.#path = path;
    this.#rule = deriveCutRule(definition, {
      path,
      normalize: text => this.#library.normalizer?.normalize(text) ?? text,
    });
    this.#blank = blankToken(definition, path);
    this.#mayDrop = mayDropText(definition);
    this.#surfaceLength = surfaceLength(definition);
    const ids = [...vocabulary.values(), ...addedTokens.map(({id}) => id)];
    this.vocabularySize = 1 + ids.reduce((most, id) => Math.max(most, id), -1);
    this.fingerprint = createHash('sha256')
      .update(canonicalJson({kind: 'palimpsest hugging face tokenizer 1', longestStretch, ...parts}))
      .digest('hex');
  }

  push(carry: Uint8Array, content: Uint8Array, last: boolean): TokenizedChunk {
    const input = joinBytes(carry, content);
    const text = toWellFormedUtf8(input, last);
    const {bytes} = text;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const ids: number[] = [];
    const byteLengths: number[] = [];
    // A unit is a stretch that has tokens with the stretches without any behind it, and at first before it.
    let unitStart = 0;
    let unit: Stretch | undefined;
    const close = (end: number): void => {
      const surplus = end - unitStart;
      if (surplus === 0) return;
      const closed = unit ?? {ids: [this.#blank], byteLengths: [0]};
      const rest = surplus - closed.byteLengths.reduce((a, b) => a + b, 0);
      for (const id of closed.ids) ids.push(id);
      for (const length of closed.byteLengths) byteLengths.push(length);
      byteLengths[byteLengths.length - 1]! += rest;
      unitStart = end;
      unit = undefined;
    };

    for (let start = 0; start < bytes.length; ) {
      const end = findCut(bytes, start, {rule: this.#rule, last});
      if (end === undefined) break;
      const stretch = this.#encode(buffer.toString('utf8', start, end), end - start);
      if (stretch.ids.length > 0) {
        if (unit !== undefined) close(start);
        unit = stretch;
        if (!this.#mayDrop) close(end);
      } else if (end - unitStart > longestStretch) {
        close(end);
      }
      start = end;
    }
    if (last) close(bytes.length);

    // The carry is copied by constructor, as the slice of a Buffer shares its memory.
    const {carryStart, replaced} = toInputLengths(text, {byteLengths, end: unitStart});
    return {
      ids: Int32Array.from(ids),
      byteLengths: Int32Array.from(byteLengths),
      carry: new Uint8Array(input.subarray(carryStart)),
      replaced,
    };
  }

  /** @throws {RangeError} If an id is not a token. */
  decode(ids: ArrayLike<number>): string {
    const tokens = Array.from(ids);
    for (const id of tokens) {
      if (this.#library.id_to_token(id) === undefined) {
        throw new RangeError(`Cannot decode tokens as each must be one of the vocabulary: current value is ${id}`);
      }
    }
    if (tokens.length === 0) return '';
    return this.#library.decode(tokens, {skip_special_tokens: false, clean_up_tokenization_spaces: false});
  }

  #encode(text: string, total: number): Stretch {
    const cached = this.#cache.get(text);
    if (cached !== undefined) return cached;
    const {ids, tokens} = this.#library.encode(text, {add_special_tokens: false});
    if (ids.includes(undefined as unknown as number)) {
      throw new ModelError(`Cannot tokenize with "${this.#path}" as every token must have an id; fix its vocabulary`);
    }
    const stretch = {ids, byteLengths: tokenByteLengths(tokens, {total, surfaceLength: this.#surfaceLength})};
    if (text.length <= longestCachedStretch) {
      if (this.#cache.size === cachedStretches) this.#cache.clear();
      this.#cache.set(text, stretch);
    }
    return stretch;
  }
}
