import test from 'ava';
import {ModelError} from '../../../errors.ts';
import {parseSafetensors} from '../../../model/weights/parse-safetensors.ts';

/** A file by the definition of the format: length, header, data. */
function file(header: string | Uint8Array, data: Uint8Array | number = 0): Uint8Array {
  const json = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

function entry(name: string, dtype: string, shape: readonly unknown[], offsets: readonly unknown[]): string {
  return `${JSON.stringify(name)}:${JSON.stringify({dtype, shape, data_offsets: offsets})}`;
}

const bytes = (array: ArrayBufferView): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

const sample = file(
  `{"__metadata__":{"format":"pt"},${entry('b', 'F32', [2, 2], [8, 24])},${entry('a', 'F64', [1], [0, 8])},${entry('none', 'I32', [0, 3], [24, 24])},${entry('scalar', 'U8', [], [24, 25])}}  `,
  Buffer.concat([bytes(Float64Array.of(0.1)), bytes(Float32Array.of(1, -2, 3.5, Number.NaN)), Buffer.of(7)]),
);

test('parseSafetensors reads tensors in the order of the file, and metadata', t => {
  const {tensors, metadata} = parseSafetensors(sample);
  t.deepEqual([...tensors.keys()], ['a', 'b', 'none', 'scalar']);
  t.deepEqual(tensors.get('a'), {type: 'F64', shape: [1], data: Float64Array.of(0.1)});
  t.deepEqual(tensors.get('b'), {type: 'F32', shape: [2, 2], data: Float32Array.of(1, -2, 3.5, Number.NaN)});
  t.deepEqual(tensors.get('none'), {type: 'I32', shape: [0, 3], data: new Int32Array(0)});
  t.deepEqual(tensors.get('scalar'), {type: 'U8', shape: [], data: Uint8Array.of(7)});
  t.deepEqual([...metadata], [['format', 'pt']]);
});

test('parseSafetensors reads every type at every alignment', t => {
  const data = Buffer.from(Array.from({length: 16}, (_, i) => 17 * i));
  const types = {
    F64: Float64Array,
    F32: Float32Array,
    F16: Uint16Array,
    BF16: Uint16Array,
    I64: BigInt64Array,
    I32: Int32Array,
    U8: Uint8Array,
  };
  for (const [type, Type] of Object.entries(types)) {
    const expected = new Type(Uint8Array.from(data).buffer);
    for (let shift = 0; shift < 8; shift++) {
      const whole = file(`{${entry('x', type, [expected.length], [0, 16])}}${' '.repeat(shift)}`, data);
      const {tensors} = parseSafetensors(whole);
      t.deepEqual(tensors.get('x')!.data as unknown, expected, `${type} shifted by ${shift}`);
    }
  }
});

test('parseSafetensors refuses every truncated prefix', t => {
  for (let length = 0; length < sample.length; length++) {
    t.throws(() => parseSafetensors(sample.subarray(0, length)), {instanceOf: ModelError}, `${length} bytes`);
  }
});

test('parseSafetensors fails with nothing but a ModelError when bytes of the header are damaged', t => {
  const headerEnd = sample.length - 25;
  let refused = 0;
  for (let index = 0; index < headerEnd; index++) {
    for (const flip of [0x01, 0x02, 0x04, 0x10, 0x20, 0x80, 0xff]) {
      const damaged = Uint8Array.from(sample);
      damaged[index]! ^= flip;
      try {
        parseSafetensors(damaged);
      } catch (error) {
        refused++;
        if (!(error instanceof ModelError)) t.fail(`byte ${index} ^ ${flip}: ${error}`);
      }
    }
  }
  // Damage inside a name or the metadata's text gives another valid file.
  t.true(refused > 0.8 * 7 * headerEnd, `${refused}`);
});

const x = (dtype: string, shape: readonly unknown[], offsets: readonly unknown[]): string =>
  `{${entry('x', dtype, shape, offsets)}}`;
const defects: readonly [string, Uint8Array, RegExp][] = [
  ['an empty file', new Uint8Array(), /at least 8 bytes: current value is 0 bytes/],
  ['a header of more than 100 MB', Buffer.from('00e1f50500000001', 'hex'), /at most 100000000 bytes/],
  ['a header beyond the end', file('{}').subarray(0, 9), /truncated/],
  ['a header that is not UTF-8', file(Buffer.from('{"\xff":1}', 'latin1')), /must be UTF-8/],
  ['a header that is not JSON', file('{"a":}'), /must be JSON/],
  ['a header that is an array', file('[]'), /must start with "\{"/],
  ['a header after white space', file(' {}'), /must start with "\{"/],
  [
    'a name twice',
    file(`{${entry('x', 'U8', [1], [0, 1])},${entry('x', 'U8', [1], [0, 1])}}`, 1),
    /occur once .*: current value is x/,
  ],
  ['a name twice in two spellings', file(`{${entry('x', 'U8', [1], [0, 1])},"\\u0078":{}}`, 1), /occur once/],
  ['a field twice', file('{"x":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /occur once .*dtype/],
  ['an empty name', file(`{${entry('', 'U8', [0], [0, 0])}}`), /well-formed name/],
  ['half a character as a name', file('{"\\ud800":{}}'), /well-formed name/],
  ['a tensor that is no object', file('{"x":[]}'), /"x" must be described by an object/],
  ['an unknown type', file(x('F8', [1], [0, 1]), 1), /"x" must have one of the types F64.*: current value is F8/],
  ['a type named like a method', file(x('toString', [1], [0, 1]), 1), /one of the types/],
  ['a missing type', file('{"x":{"shape":[],"data_offsets":[0,1]}}', 1), /one of the types .*missing/],
  ['an unknown field', file('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":1}}', 1), /no other fields/],
  ['a shape that is no array', file('{"x":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}', 1), /must have a shape/],
  ['a negative size', file(x('U8', [-1], [0, 1]), 1), /must have a shape/],
  ['a fractional size', file(x('U8', [0.5], [0, 1]), 1), /must have a shape/],
  [
    'a size beyond 2^53',
    file('{"x":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,1]}}', 1),
    /must have a shape/,
  ],
  ['one offset', file(x('U8', [1], [0]), 1), /two data_offsets/],
  ['three offsets', file(x('U8', [1], [0, 1, 2]), 1), /two data_offsets/],
  ['a text as an offset', file(x('U8', [1], ['0', 1]), 1), /two data_offsets/],
  ['an end before the start', file(x('U8', [1], [1, 0]), 1), /end behind its start/],
  [
    'a shape that does not fit',
    file(x('F32', [2, 3], [0, 20]), 20),
    /type F32 and shape \[2,3\] must take 24 bytes: current value is 20/,
  ],
  [
    'overlapping tensors',
    file(`{${entry('x', 'U8', [2], [0, 2])},${entry('y', 'U8', [2], [1, 3])}}`, 3),
    /"y" must not overlap/,
  ],
  [
    'a hole between tensors',
    file(`{${entry('x', 'U8', [1], [0, 1])},${entry('y', 'U8', [1], [2, 3])}}`, 3),
    /"y" must start where .*, at 1: current value is 2/,
  ],
  ['a hole at the start', file(x('U8', [1], [1, 2]), 2), /"x" must start where/],
  ['data that is cut off', file(x('U8', [4], [0, 4]), 3), /truncated: current value is 3 bytes/],
  ['bytes behind the data', file(x('U8', [1], [0, 1]), 2), /nothing may follow/],
  ['metadata that is no object', file('{"__metadata__":"x"}'), /"__metadata__" must be an object/],
  ['metadata that is no string', file('{"__metadata__":{"x":1}}'), /metadata "x" must be a string/],
];
for (const [name, content, message] of defects) {
  test(`parseSafetensors refuses ${name}`, t => {
    const error = t.throws(() => parseSafetensors(content, {path: 'w.safetensors'}), {instanceOf: ModelError});
    t.regex(error.message, message);
    t.true(error.message.startsWith('Cannot read "w.safetensors" as '), error.message);
  });
}

test('parseSafetensors refuses what is nested too deep to be shown', t => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  t.throws(() => parseSafetensors(file(`{"a":${deep}}`)), {instanceOf: ModelError});
});

test('parseSafetensors reads tensors named like properties of objects', t => {
  const {tensors} = parseSafetensors(
    file(`{${entry('__proto__', 'U8', [1], [0, 1])},${entry('constructor', 'U8', [0], [1, 1])}}`, 1),
  );
  t.deepEqual([...tensors.keys()], ['__proto__', 'constructor']);
});
