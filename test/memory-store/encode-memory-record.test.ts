import {createHash} from 'node:crypto';
import test from 'ava';
import {float16ToFloat32} from '../../float16/float16-to-float32.ts';
import {float32ToFloat16} from '../../float16/float32-to-float16.ts';
import {decodeMemoryRecord} from '../../memory-store/decode-memory-record.ts';
import {encodeMemoryRecord} from '../../memory-store/encode-memory-record.ts';
import type {MemoryRecord} from '../../memory-store/memory-record.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';

const withTensors = (tensors: MemoryRecord['memory']['tensors']): MemoryRecord => {
  const record = sampleMemoryRecord(1);
  return {...record, memory: {...record.memory, tensors}};
};

test('encodeMemoryRecord keeps every bit of float32', t => {
  const patterns = [
    0, 0x80000000, 1, 0x007fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f812345, 0xffffffff, 0x3f800000,
  ];
  const record = withTensors({memory: {shape: [2, 5], data: new Float32Array(Uint32Array.from(patterns).buffer)}});
  const {data} = decodeMemoryRecord(encodeMemoryRecord(record), 'a').memory.tensors.memory!;
  t.deepEqual([...new Uint32Array(data.buffer, data.byteOffset, data.length)], patterns);
});

test('encodeMemoryRecord keeps views that lie inside larger buffers', t => {
  const sample = sampleMemoryRecord(3);
  const record: MemoryRecord = {
    ...sample,
    carry: Uint8Array.of(1, 2, 3, 4).subarray(1, 3),
    pendingTokens: Int32Array.of(1, 2, 3, 4).subarray(1, 3),
    pendingByteLengths: Int32Array.of(5, 6, 7).subarray(2),
    summary: {...sample.summary, hiddenSum: Float64Array.of(1, 2, 3).subarray(1)},
    memory: {
      memoryCount: 2,
      compressedMemoryCount: 0,
      tensors: {
        memory: {shape: [2], data: Float32Array.of(1, 2, 3).subarray(1)},
        compressedMemory: {shape: [1, 0, 2], data: Float32Array.of(9).subarray(1)},
      },
    },
  };
  t.deepEqual(decodeMemoryRecord(encodeMemoryRecord(record), 'a'), record);
});

test('encodeMemoryRecord keeps numbers beyond 32 bits, extremes of hiddenSum and any offset', t => {
  const sample = sampleMemoryRecord(3);
  const record: MemoryRecord = {
    ...sample,
    position: {partition: 'p', offset: -(10n ** 30n)},
    timestamp: -1.5,
    segments: Number.MAX_SAFE_INTEGER,
    summary: {
      tokens: 2 ** 52 + 1,
      bytes: 2 ** 32,
      bits: 1e-310,
      hiddenSum: Float64Array.of(-0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, Number.MAX_VALUE),
      lexicalCounts: Uint32Array.of(2 ** 32 - 1),
      lastToken: -1,
    },
  };
  t.deepEqual(decodeMemoryRecord(encodeMemoryRecord(record), 'a'), record);
});

test('encodeMemoryRecord keeps a tensor named __proto__', t => {
  const tensors = Object.fromEntries([['__proto__', {shape: [1], data: Float32Array.of(7)}]]);
  const decoded = decodeMemoryRecord(encodeMemoryRecord(withTensors(tensors)), 'a').memory.tensors;
  t.deepEqual(Object.entries(decoded), Object.entries(tensors));
});

test('encodeMemoryRecord gives the same bytes in whatever order the tensors were named', t => {
  const record = sampleMemoryRecord(2);
  const reversed = Object.fromEntries(Object.entries(record.memory.tensors).reverse());
  const other = {...record, memory: {...record.memory, tensors: reversed}};
  t.deepEqual(encodeMemoryRecord(other), encodeMemoryRecord(record));
  t.notDeepEqual(encodeMemoryRecord(sampleMemoryRecord(3)), encodeMemoryRecord(record));
});

test('encodeMemoryRecord aligns every array to 64 bytes', t => {
  const bytes = encodeMemoryRecord(withTensors({a: {shape: [3], data: Float32Array.of(1.5, 2.5, 3.5)}}));
  const needles = [Int32Array.of(1, -1, 2 ** 31 - 1), Float32Array.of(1.5, 2.5, 3.5)];
  for (const needle of needles) {
    const at = Buffer.from(bytes.buffer).indexOf(Buffer.from(needle.buffer));
    t.true(at > 0 && at % 64 === 0, `at ${at}`);
  }
});

test('encodeMemoryRecord with float16 rounds tensors only', t => {
  const record = sampleMemoryRecord(4, {bytes: 4096});
  const encoded = encodeMemoryRecord(record, {dtype: 'float16'});
  const {memory, ...rest} = decodeMemoryRecord(encoded, 'a');
  const {memory: exact, ...exactRest} = record;
  t.deepEqual(rest, exactRest);
  for (const [name, {shape, data}] of Object.entries(exact.tensors)) {
    const found = memory.tensors[name]!;
    t.deepEqual(found, {shape, data: float16ToFloat32(float32ToFloat16(data))});
    t.true(found.data.every((value, i) => Math.abs(value - data[i]!) <= Math.abs(data[i]!) * 2 ** -11 + 2 ** -25));
  }
  t.true(encoded.length < encodeMemoryRecord(record).length * 0.65);
});

test('encodeMemoryRecord with float16 keeps what is not finite and refuses what would become infinite', t => {
  const data = Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 65519);
  const decoded = decodeMemoryRecord(encodeMemoryRecord(withTensors({a: {shape: [5], data}}), {dtype: 'float16'}), 'a');
  const halves = Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 65504);
  t.deepEqual(decoded.memory.tensors.a!.data, halves);
  const large = withTensors({a: {shape: [2], data: Float32Array.of(0, -65520)}});
  t.throws(() => encodeMemoryRecord(large, {dtype: 'float16'}), {
    instanceOf: RangeError,
    message: 'Cannot encode tensor "a" as float16 as values must be below 65520: current value is -65520; use float32',
  });
});

test('encodeMemoryRecord refuses what is no record', t => {
  const record = sampleMemoryRecord(1);
  const data = new Float32Array(2);
  t.throws(() => encodeMemoryRecord({...record, carry: [1] as unknown as Uint8Array}), {instanceOf: TypeError});
  t.throws(() => encodeMemoryRecord({...record, position: {partition: 'p', offset: 1 as unknown as bigint}}), {
    instanceOf: TypeError,
  });
  t.throws(() => encodeMemoryRecord({...record, pendingTokens: data as unknown as Int32Array}), {
    instanceOf: TypeError,
  });
  for (const shape of [[3], [2, 2], [-1, -2], [0.5, 4]]) {
    t.throws(() => encodeMemoryRecord(withTensors({a: {shape, data}})), {instanceOf: RangeError}, `${shape}`);
  }
  t.throws(() => encodeMemoryRecord(record, {dtype: 'float8' as 'float16'}), {instanceOf: RangeError});
});

/** A record of every kind of array. */
function goldenRecord(summary: Pick<MemoryRecord['summary'], 'lexicalCounts' | 'lastToken'>): MemoryRecord {
  return {
    fingerprint: 'sha256:abc',
    position: {partition: 'books/0', offset: 258n},
    timestamp: 1_700_000_000_000,
    segments: 3,
    carry: Uint8Array.of(0xe2, 0x82),
    pendingTokens: Int32Array.of(5, 6),
    pendingByteLengths: Int32Array.of(1, 4),
    summary: {tokens: 384, bytes: 400, bits: 1234.5, hiddenSum: Float64Array.of(0.1, -2), ...summary},
    memory: {
      memoryCount: 1,
      compressedMemoryCount: 0,
      tensors: {
        memory: {shape: [1, 1, 2], data: Float32Array.of(1, -0)},
        lastHidden: {shape: [2], data: Float32Array.of(3, 0.5)},
      },
    },
  };
}

test('decodeMemoryRecord reads format version 1, which has no counts', t => {
  const golden = [
    '89504c4d500d0a1a0100000077369d918802000000000000ff00000000000000',
    'de0010ab66696e6765727072696e74aa7368613235363a616263a97061727469',
    '74696f6ea7626f6f6b732f30a66f6666736574a3323538a974696d657374616d',
    '70cb4278bcfe56800000a87365676d656e747303a6746f6b656e73cd0180a562',
    '79746573cd0190a462697473cb40934a0000000000a5636172727902ad70656e',
    '64696e67546f6b656e7302b270656e64696e67427974654c656e6774687302a9',
    '68696464656e53756d02a56474797065a7666c6f61743332ab6d656d6f727943',
    '6f756e7401b5636f6d707265737365644d656d6f7279436f756e7400a774656e',
    '736f72739292aa6c61737448696464656e910292a66d656d6f72799301010200',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'e282000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0500000006000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000004000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '9a9999999999b93f00000000000000c000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '000040400000003f000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000803f00000080',
  ].join('');
  const record = goldenRecord({lexicalCounts: new Uint32Array(), lastToken: -1});
  t.deepEqual(decodeMemoryRecord(Buffer.from(golden, 'hex'), 'a'), record);
});

test('encodeMemoryRecord writes format version 2 to the byte', t => {
  const record = goldenRecord({lexicalCounts: Uint32Array.of(3, 0, 2 ** 32 - 1), lastToken: 2});
  // Changing these bytes needs a new format version that still reads this one.
  const golden = [
    '89504c4d500d0a1a02000000087b697fc8020000000000001901000000000000',
    'de0012ab66696e6765727072696e74aa7368613235363a616263a97061727469',
    '74696f6ea7626f6f6b732f30a66f6666736574a3323538a974696d657374616d',
    '70cb4278bcfe56800000a87365676d656e747303a6746f6b656e73cd0180a562',
    '79746573cd0190a462697473cb40934a0000000000a5636172727902ad70656e',
    '64696e67546f6b656e7302b270656e64696e67427974654c656e6774687302a9',
    '68696464656e53756d02ad6c65786963616c436f756e747303a96c617374546f',
    '6b656e02a56474797065a7666c6f61743332ab6d656d6f7279436f756e7401b5',
    '636f6d707265737365644d656d6f7279436f756e7400a774656e736f72739292',
    'aa6c61737448696464656e910292a66d656d6f72799301010200000000000000',
    'e282000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0500000006000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000004000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '9a9999999999b93f00000000000000c000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0300000000000000ffffffff0000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '000040400000003f000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000803f00000080',
  ].join('');
  t.is(Buffer.from(encodeMemoryRecord(record)).toString('hex'), golden);
  t.deepEqual(decodeMemoryRecord(Buffer.from(golden, 'hex'), 'a'), record);
  const half = encodeMemoryRecord(record, {dtype: 'float16'});
  t.is(
    createHash('sha256').update(half).digest('hex'),
    'cadcb491e897eec24f91577b70c6e09b08e797e7b612a38cb6f2d14216ed95bd',
  );
});
