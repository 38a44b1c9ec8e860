import {readFileSync} from 'node:fs';
import {copyFile, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Tokenizer as HuggingFaceLibrary} from '@huggingface/tokenizers';
import test, {type ExecutionContext} from 'ava';
import {ModelError} from '../../../errors.ts';
import {longestStretch} from '../../../model/tokenizer/find-cut.ts';
import {HuggingFaceTokenizer} from '../../../model/tokenizer/hugging-face-tokenizer.ts';
import {knownSplitPatterns} from '../../../model/tokenizer/known-split-patterns.ts';
import type {TokenizedChunk, Tokenizer} from '../../../model/tokenizer/tokenizer.ts';
import {sampleText} from './sample-text.ts';

type Json = {
  normalizer: unknown;
  pre_tokenizer: unknown;
  model: Record<string, unknown>;
  added_tokens: Record<string, unknown>[];
};

const fixtures = fileURLToPath(new URL('../../../../test/fixtures/tokenizers/', import.meta.url));
const none = new Uint8Array();
const sample = Buffer.from(sampleText);

function fixture(name: string): Json {
  return JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8'));
}

/** Every kind of tokenizer that is supported, as variations of the fixtures. */
const definitions: Record<string, Json> = {};
const fixtureNames = ['gpt-2', 'roberta', 'llama-3', 'bert', 'unigram', 'sentencepiece-bpe'];
for (const name of fixtureNames) {
  definitions[name] = fixture(name);
}
definitions['gpt-2 with digits apart'] = {
  ...fixture('gpt-2'),
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [{type: 'Digits', individual_digits: true}, {type: 'Punctuation'}, {type: 'ByteLevel'}],
  },
};
definitions['gpt-2 decomposed and without accents'] = {
  ...fixture('gpt-2'),
  normalizer: {
    type: 'Sequence',
    normalizers: [{type: 'NFKD'}, {type: 'StripAccents'}, {type: 'Lowercase'}, {type: 'NFC'}],
  },
};
definitions['gpt-2 with tokens that eat space'] = {
  ...fixture('gpt-2'),
  added_tokens: [
    {id: 500, content: '[MASK]', special: true, lstrip: true, rstrip: true},
    {id: 501, content: '   ', normalized: true},
  ],
};
definitions['gpt-2 with a token across a comma'] = {
  ...fixture('gpt-2'),
  added_tokens: [{id: 502, content: 'χ;', normalized: false}],
};
definitions['bert without accents, cased'] = {
  ...fixture('bert'),
  normalizer: {type: 'BertNormalizer', clean_text: false, handle_chinese_chars: false, strip_accents: true},
  pre_tokenizer: {type: 'Whitespace'},
};
definitions['unigram of words'] = {
  ...fixture('unigram'),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      {type: 'Replace', pattern: {String: "''"}, content: '"'},
      {type: 'Precompiled', precompiled_charsmap: ''},
      {type: 'Replace', pattern: {Regex: ' {2,}'}, content: ' '},
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [{type: 'WhitespaceSplit'}, {type: 'Metaspace', replacement: '▁', prepend_scheme: 'always'}],
  },
};
definitions['sentencepiece with a normaliser'] = {
  ...fixture('sentencepiece-bpe'),
  normalizer: {type: 'Replace', pattern: {String: ' '}, content: '▁'},
  pre_tokenizer: {type: 'Split', pattern: {String: ' '}, behavior: 'MergedWithPrevious', invert: false},
};

for (const [i, pattern] of [...knownSplitPatterns].entries()) {
  definitions[`split by known pattern ${i}`] = {
    ...fixture('llama-3'),
    normalizer: i % 2 === 0 ? null : {type: 'NFKD'},
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {type: 'Split', pattern: {Regex: pattern}, behavior: 'Isolated', invert: false},
        {type: 'ByteLevel', add_prefix_space: false, use_regex: false},
      ],
    },
  };
}

/** The library's tokens of the whole text: what cutting must not change. */
function wholeIds(json: Json, text: string): number[] {
  return new HuggingFaceLibrary({...json, post_processor: null}, {}).encode(text, {add_special_tokens: false}).ids;
}

function pushPieces(tokenizer: Tokenizer, pieces: Iterable<Uint8Array>): TokenizedChunk & {longestCarry: number} {
  let carry: Uint8Array = none;
  let replaced = 0;
  let longestCarry = 0;
  const ids: number[] = [];
  const byteLengths: number[] = [];
  const take = (content: Uint8Array, last: boolean): void => {
    const before = carry.length + content.length;
    const chunk = tokenizer.push(carry, content, last);
    const consumed = chunk.byteLengths.reduce((a, b) => a + b, 0);
    if (consumed + chunk.carry.length !== before) throw new Error(`${consumed} + ${chunk.carry.length} != ${before}`);
    ids.push(...chunk.ids);
    byteLengths.push(...chunk.byteLengths);
    carry = chunk.carry;
    replaced += chunk.replaced;
    longestCarry = Math.max(longestCarry, carry.length);
  };
  for (const piece of pieces) take(piece, false);
  take(none, true);
  return {ids: Int32Array.from(ids), byteLengths: Int32Array.from(byteLengths), carry, replaced, longestCarry};
}

/** Pieces of pseudo-random length below `most`. */
function* randomPieces(bytes: Uint8Array, {seed, most}: {seed: number; most: number}): Generator<Uint8Array> {
  let word = seed;
  for (let start = 0; start < bytes.length; ) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    const end = Math.min(bytes.length, start + ((word >>> 8) % most));
    yield bytes.subarray(start, end);
    start = end;
  }
}

function checkEqual(t: ExecutionContext, actual: TokenizedChunk, expected: TokenizedChunk, message: string): void {
  // Compared as bytes first: a deep comparison of each of thousands of results would be slow.
  if (
    Buffer.from(actual.ids.buffer).equals(Buffer.from(expected.ids.buffer)) &&
    Buffer.from(actual.byteLengths.buffer).equals(Buffer.from(expected.byteLengths.buffer)) &&
    actual.replaced === expected.replaced &&
    actual.carry.length === 0
  )
    return;
  t.deepEqual([...actual.ids], [...expected.ids], message);
  t.deepEqual([...actual.byteLengths], [...expected.byteLengths], message);
  t.is(actual.replaced, expected.replaced, message);
  t.is(actual.carry.length, 0, message);
}

for (const [name, json] of Object.entries(definitions)) {
  test(`HuggingFaceTokenizer gives the library's tokens of the whole text: ${name}`, t => {
    const tokenizer = new HuggingFaceTokenizer(json);
    const whole = tokenizer.push(none, sample, true);
    t.deepEqual([...whole.ids], wholeIds(json, sampleText));
    t.true(whole.ids.length > 100);
    t.is(
      whole.byteLengths.reduce((a, b) => a + b),
      sample.length,
    );
    t.true(whole.byteLengths.every(length => length >= 0));
    t.is(whole.carry.length, 0);
    t.is(whole.replaced, 0);
  });

  test(`HuggingFaceTokenizer gives the same tokens however the text is split: ${name}`, t => {
    const tokenizer = new HuggingFaceTokenizer(json);
    const whole = tokenizer.push(none, sample, true);
    // Every place for one tokenizer of each kind; places of all sorts are among the random ones for the others.
    const step = fixtureNames.includes(name) ? 1 : 17;
    for (let split = 0; split <= sample.length; split += step) {
      const parts = pushPieces(tokenizer, [sample.subarray(0, split), sample.subarray(split)]);
      checkEqual(t, parts, whole, `split at ${split}`);
    }
    checkEqual(
      t,
      pushPieces(
        tokenizer,
        Array.from(sample, (_, i) => sample.subarray(i, i + 1)),
      ),
      whole,
      'single bytes',
    );
    for (let seed = 0; seed < 40; seed++) {
      checkEqual(t, pushPieces(tokenizer, randomPieces(sample, {seed, most: 2 + seed})), whole, `seed ${seed}`);
    }
    t.pass();
  });
}

// Pieces that stand badly beside each other.
const pieces = [
  ...[
    ' ',
    ' ',
    '  ',
    '\n',
    '\n',
    '\r\n',
    '\r',
    '\t',
    '\u00a0',
    '\u3000',
    '\u2028',
    '\u0085',
    '\ufeff',
    '\u200d',
    '\u200b',
  ],
  ...[
    'a',
    'Ab',
    "don't",
    "'s",
    "''",
    'x',
    '1',
    '22',
    '３',
    '½',
    ',',
    ';',
    '/',
    '{',
    '}',
    '.',
    '!',
    '-',
    '=',
    '^',
    '`',
    '_',
    '~',
  ],
  ...[
    'é',
    'e\u0301',
    '\u0301',
    '\u0338',
    'Σ',
    'ΑΣ',
    'İ',
    'ß',
    'ﬁ',
    '¨',
    '´',
    '\u037a',
    '\ufc5e',
    '灯',
    '塔',
    '。',
    '，',
    '！',
    'が',
    'か\u3099',
  ],
  ...[
    '각',
    '\u1100',
    '\u1161',
    '\u11a8',
    '👩',
    '\u200d👩',
    '🏽',
    '▁',
    '～',
    '\ufffd',
    '\u0000',
    '[MASK]',
    '[UNK]',
    '<s>',
    'χ;',
    '<|end|>',
  ],
];

test("HuggingFaceTokenizer gives the library's tokens of random text made to be cut wrongly", t => {
  let word = 1;
  const random = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((word / 2 ** 32) * below);
  };
  for (const [name, json] of Object.entries(definitions)) {
    // Of equally good paths the library takes another one when more text stands before them.
    if (json.model.type === 'Unigram') continue;
    const tokenizer = new HuggingFaceTokenizer(json);
    const library = new HuggingFaceLibrary({...json, post_processor: null}, {});
    const rare = ['}\n[MASK]', '}\n/a', '[MASK] a', "a\n's", 'e\u0301,', 'ab灯 塔', 'Σ 灯Α'];
    for (let i = 0; i < 150; i++) {
      const text = rare[i] ?? Array.from({length: 2 + random(25)}, () => pieces[random(pieces.length)]).join('');
      const expected = library.encode(text, {add_special_tokens: false}).ids;
      const {ids} = tokenizer.push(none, Buffer.from(text), true);
      // A text without any token is one unknown token here.
      if (expected.length > 0 && expected.join() !== ids.join()) t.deepEqual([...ids], expected, `${name}: ${text}`);
    }
  }
  t.pass();
});

test('HuggingFaceTokenizer replaces ill-formed UTF-8 the same however it is split', t => {
  const broken = Buffer.concat([
    Buffer.from('caf\xe9 \xf0\x9f\x91 a\xed\xa0\x80b \xc0\xaf,\xe4\xb8', 'latin1'),
    Buffer.from(' words after 灯塔'),
    Buffer.from(' \xff\xfe\xf4\x90\x80\x80 end\xf0\x9f', 'latin1'),
  ]);
  const readable = new TextDecoder('utf-8', {ignoreBOM: true}).decode(broken);
  for (const name of ['gpt-2', 'bert', 'unigram']) {
    const tokenizer = new HuggingFaceTokenizer(definitions[name]);
    const whole = tokenizer.push(none, broken, true);
    t.deepEqual([...whole.ids], wholeIds(definitions[name]!, readable), name);
    t.is(whole.replaced, readable.split('\ufffd').length - 1, name);
    t.is(
      whole.byteLengths.reduce((a, b) => a + b),
      broken.length,
      name,
    );
    for (let split = 0; split <= broken.length; split++) {
      const parts = pushPieces(tokenizer, [broken.subarray(0, split), broken.subarray(split)]);
      checkEqual(t, parts, whole, `${name} split at ${split}`);
    }
  }
});

test('HuggingFaceTokenizer counts the bytes of each byte-level token exactly', t => {
  const tokenizer = new HuggingFaceTokenizer(definitions['gpt-2']);
  const {ids, byteLengths} = tokenizer.push(none, sample, true);
  const library = new HuggingFaceLibrary(definitions['gpt-2']!, {});
  t.deepEqual(
    [...byteLengths],
    Array.from(ids, id => (id === 0 ? '<|end|>'.length : library.id_to_token(id)!.length)),
  );
});

test('HuggingFaceTokenizer counts an added prefix space to no byte', t => {
  const {ids, byteLengths} = new HuggingFaceTokenizer(definitions.roberta).push(none, Buffer.from('a b'), true);
  t.is(ids.length, byteLengths.length);
  t.is(
    byteLengths.reduce((a, b) => a + b),
    3,
  );
});

for (const name of ['gpt-2', 'bert', 'sentencepiece-bpe']) {
  test(`HuggingFaceTokenizer holds a bounded carry and cuts at the same places when nothing can be cut: ${name}`, t => {
    const tokenizer = new HuggingFaceTokenizer(definitions[name]);
    const endless = Buffer.from(`xyz${'a1é-'.repeat(50_000)}`);
    const whole = tokenizer.push(none, endless, true);
    for (const most of [5_000, 70_000]) {
      const parts = pushPieces(tokenizer, randomPieces(endless, {seed: 7, most}));
      checkEqual(t, parts, whole, `pieces below ${most}`);
      t.true(parts.longestCarry <= 3 * longestStretch, `${parts.longestCarry}`);
    }
    if (name === 'gpt-2') {
      // The cut falls inside "é" and is moved before it.
      const first = tokenizer.push(none, endless.subarray(0, longestStretch + 3), false);
      t.is(first.carry.length, 4);
    }
  });
}

test('HuggingFaceTokenizer holds a bounded carry when no token stands for the text', t => {
  const tokenizer = new HuggingFaceTokenizer(definitions.bert);
  const blank = Buffer.from(`word${' \n'.repeat(150_000)}word`);
  const whole = tokenizer.push(none, blank, true);
  const unknown = definitions.bert!.model.vocab as Record<string, number>;
  t.true(whole.ids.length > 4 && whole.ids.includes(unknown['[UNK]']!));
  const parts = pushPieces(tokenizer, randomPieces(blank, {seed: 3, most: 20_000}));
  checkEqual(t, parts, whole, 'blank');
  t.true(parts.longestCarry <= 3 * longestStretch);
});

test('HuggingFaceTokenizer gives nothing for nothing, and one unknown token for a document of white space', t => {
  const tokenizer = new HuggingFaceTokenizer(definitions.bert);
  t.deepEqual([...tokenizer.push(none, none, true).ids], []);
  const {ids, byteLengths} = tokenizer.push(none, Buffer.from(' \n '), true);
  t.deepEqual([...ids], [1]);
  t.deepEqual([...byteLengths], [3]);
});

test('HuggingFaceTokenizer decodes what it has tokenised', t => {
  const text = "Wind: 7-8 Bft, 灯塔 👩‍👩‍👧‍👦 don't\r\n  go!\ufeff";
  for (const name of ['gpt-2', 'llama-3']) {
    const tokenizer = new HuggingFaceTokenizer(definitions[name]);
    t.is(tokenizer.decode(tokenizer.push(none, Buffer.from(text), true).ids), text);
    t.is(tokenizer.decode([]), '');
    t.throws(() => tokenizer.decode([tokenizer.vocabularySize]), {instanceOf: RangeError});
  }
});

test('HuggingFaceTokenizer has a fingerprint of what decides the tokens and of nothing else', t => {
  const original = fixture('gpt-2');
  const reordered = Object.fromEntries(Object.entries(original).reverse());
  const fingerprint = new HuggingFaceTokenizer(original).fingerprint;
  t.regex(fingerprint, /^[0-9a-f]{64}$/);
  t.is(new HuggingFaceTokenizer({...reordered, post_processor: null, truncation: null}).fingerprint, fingerprint);
  for (const change of [
    {normalizer: {type: 'NFC'}},
    {pre_tokenizer: {type: 'ByteLevel', add_prefix_space: true}},
    {added_tokens: []},
    {model: {...original.model, merges: (original.model.merges as unknown[]).slice(1)}},
  ]) {
    t.not(
      new HuggingFaceTokenizer({...original, ...change}).fingerprint,
      fingerprint,
      JSON.stringify(change).slice(0, 60),
    );
  }
});

test('HuggingFaceTokenizer counts added tokens to its vocabulary', t => {
  t.is(new HuggingFaceTokenizer(definitions['gpt-2']).vocabularySize, 500);
  t.is(new HuggingFaceTokenizer(definitions['gpt-2 with a token across a comma']).vocabularySize, 503);
});

const refused: readonly [string, unknown, RegExp][] = [
  ['null', null, /must be an object/],
  ['no model', {}, /its model must be an object/],
  ['another model', {model: {type: 'WordLevel', vocab: {}}}, /BPE, WordPiece or Unigram/],
  ['a broken vocabulary', {model: {type: 'BPE', vocab: {a: -1}, merges: []}}, /the id of "a"/],
  ['no merges', {model: {type: 'BPE', vocab: {a: 1}}}, /must have merges/],
  ['a broken added token', {...fixture('gpt-2'), added_tokens: [{id: 1}]}, /added_tokens must have an id/],
  [
    'an added token that must stand alone',
    {...fixture('gpt-2'), added_tokens: [{id: 0, content: 'cat', single_word: true}]},
    /single_word/,
  ],
  ['dropout', {...fixture('gpt-2'), model: {...fixture('gpt-2').model, dropout: 0.1}}, /no dropout/],
  [
    'a prefix of pieces',
    {...fixture('gpt-2'), model: {...fixture('gpt-2').model, continuing_subword_prefix: '##'}},
    /no continuing_subword_prefix/,
  ],
  ['an unknown part', {...fixture('gpt-2'), pre_tokenizer: {type: 'Surprise'}}, /Surprise/],
  ['a part without type', {...fixture('gpt-2'), pre_tokenizer: {}}, /with a type/],
  ['a missing unknown token', {...fixture('bert'), model: {...fixture('bert').model, unk_token: 'no'}}, /unk_token/],
  ['a normaliser of ends', {...fixture('gpt-2'), normalizer: {type: 'Strip', strip_left: true}}, /Strip/],
  ['a prepended mark', {...fixture('sentencepiece-bpe'), normalizer: {type: 'Prepend', prepend: '▁'}}, /Prepend/],
  [
    'removed spaces',
    {...fixture('gpt-2'), normalizer: {type: 'Replace', pattern: {String: ' '}, content: ''}},
    /does not keep spaces/,
  ],
  [
    'a pattern across spaces',
    {...fixture('gpt-2'), normalizer: {type: 'Replace', pattern: {String: 'a b'}, content: 'c'}},
    /replaces/,
  ],
  [
    'several characters removed',
    {...fixture('gpt-2'), normalizer: {type: 'Replace', pattern: {String: 'ab'}, content: ''}},
    /replaces/,
  ],
  ['an unknown split', {...fixture('gpt-2'), pre_tokenizer: {type: 'Split', pattern: {Regex: '.+'}}}, /splits by/],
  ['a fixed length', {...fixture('gpt-2'), pre_tokenizer: {type: 'FixedLength', length: 3}}, /FixedLength/],
  ['words that are not parted', {...fixture('bert'), pre_tokenizer: null}, /no pre-tokenizer/],
  ['an added token across a space', {...fixture('gpt-2'), added_tokens: [{id: 0, content: 'a b'}]}, /"a b" reaches/],
  [
    'a piece across a space',
    {
      ...fixture('sentencepiece-bpe'),
      model: {...fixture('sentencepiece-bpe').model, merges: [['a', '▁']]},
    },
    /"a▁" reaches across/,
  ],
  [
    'unknown pieces in one token',
    {...fixture('unigram'), pre_tokenizer: {type: 'WhitespaceSplit'}},
    /one token of unknown pieces/,
  ],
  [
    'another first word behind added tokens',
    {
      ...fixture('unigram'),
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{type: 'WhitespaceSplit'}, {type: 'Metaspace', prepend_scheme: 'first'}],
      },
    },
    /first word after an added token/,
  ],
];
for (const [name, json, message] of refused) {
  test(`HuggingFaceTokenizer refuses ${name}`, t => {
    const error = t.throws(() => new HuggingFaceTokenizer(json, {path: 'x/tokenizer.json'}), {instanceOf: ModelError});
    t.regex(error.message, message);
    t.true(error.message.startsWith('Cannot load "x/tokenizer.json" as '), error.message);
  });
}

test('HuggingFaceTokenizer.open reads a tokenizer.json and the configuration beside it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const path = join(folder, 'tokenizer.json');
  await t.throwsAsync(HuggingFaceTokenizer.open(path), {
    instanceOf: ModelError,
    message: /as it does not exist; check the path$/,
  });
  await copyFile(join(fixtures, 'gpt-2.json'), path);
  t.is((await HuggingFaceTokenizer.open(path)).vocabularySize, 500);
  await writeFile(join(folder, 'tokenizer_config.json'), '{"remove_space": true}');
  await t.throwsAsync(HuggingFaceTokenizer.open(path), {instanceOf: ModelError, message: /remove_space/});
  await writeFile(path, '{"model":');
  await t.throwsAsync(HuggingFaceTokenizer.open(path), {instanceOf: ModelError, message: /must be JSON/});
});
