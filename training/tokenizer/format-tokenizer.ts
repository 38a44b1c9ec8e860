import {byteAlphabet} from './byte-alphabet.ts';
import type {Merge} from './learn-merges.ts';
import {splitPattern} from './split-pattern.ts';

/** A byte-level BPE tokenizer as the content of a `tokenizer.json`: the fields and their order are those that Hugging Face's library writes. */
export function formatTokenizer(merges: readonly Merge[]): object {
  const vocabulary = new Set([...byteAlphabet, ...merges.map(({left, right}) => left + right)]);
  const byteLevel = {type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false};
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{type: 'Split', pattern: {Regex: splitPattern}, behavior: 'Isolated', invert: false}, byteLevel],
    },
    post_processor: null,
    decoder: {...byteLevel, add_prefix_space: true, use_regex: true},
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...vocabulary].map((token, id) => [token, id])),
      merges: merges.map(({left, right}) => [left, right]),
    },
  };
}
