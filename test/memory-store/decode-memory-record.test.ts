import {crc32} from 'node:zlib';
import test from 'ava';
import {pack} from 'msgpackr';
import {CorruptMemoryError, StoreError} from '../../errors.ts';
import {decodeMemoryRecord} from '../../memory-store/decode-memory-record.ts';
import {encodeMemoryRecord} from '../../memory-store/encode-memory-record.ts';
import {sampleMemoryRecord} from '../conformance/sample-memory-record.ts';

const record = sampleMemoryRecord(1);
const encoded = encodeMemoryRecord(record);

/** `undefined` if it decodes, else the error's class and message. */
function failureOf(bytes: Uint8Array): Error | undefined {
  try {
    decodeMemoryRecord(bytes, 'doc 7');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Gives bytes the length and checksum that they claim to have. */
function resealed(bytes: Uint8Array): Buffer {
  const sealed = Buffer.from(bytes);
  sealed.writeBigUInt64LE(BigInt(sealed.length), 16);
  sealed.writeUInt32LE(crc32(sealed.subarray(16), crc32(sealed.subarray(0, 12))), 12);
  return sealed;
}

test('decodeMemoryRecord refuses every truncated prefix', t => {
  for (let length = 0; length < encoded.length; length++) {
    if (!(failureOf(encoded.subarray(0, length)) instanceof CorruptMemoryError)) t.fail(`${length} bytes`);
  }
  t.is(failureOf(encoded), undefined);
});

test('decodeMemoryRecord refuses every changed byte', t => {
  for (let at = 0; at < encoded.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = Uint8Array.from(encoded);
      changed[at]! ^= mask;
      if (!(failureOf(changed) instanceof CorruptMemoryError)) t.fail(`byte ${at} ^ ${mask}`);
    }
  }
  t.pass();
});

test('decodeMemoryRecord refuses bytes that follow a record', t => {
  t.true(failureOf(Buffer.concat([encoded, Buffer.alloc(1)])) instanceof CorruptMemoryError);
  t.true(failureOf(Buffer.concat([encoded, encoded])) instanceof CorruptMemoryError);
});

test('decodeMemoryRecord names the document and says what to do', t => {
  const error = failureOf(encoded.subarray(0, 100));
  t.is(
    error?.message,
    `Cannot read the memory of document "doc 7" as it has 100 bytes where its header says ${encoded.length}: forget the document and replay its input`,
  );
});

test('decodeMemoryRecord asks for an upgrade when the format is newer', t => {
  const newer = Buffer.from(encoded);
  newer.writeUInt16LE(3, 8);
  const error = failureOf(resealed(newer));
  t.true(error instanceof StoreError && !(error instanceof CorruptMemoryError));
  t.is(
    error?.message,
    'Cannot read the memory of document "doc 7" as its format must be at most 2: current format is 3; upgrade Palimpsest',
  );
});

test('decodeMemoryRecord refuses wrong fields even when the checksum holds', t => {
  const fieldsBytes = Buffer.from(encoded.buffer).readUInt32LE(24);
  const withFields = (fields: Uint8Array, claimed = fields.length) => {
    const bytes = Buffer.concat([encoded.subarray(0, 32), fields, encoded.subarray(32 + fieldsBytes)]);
    bytes.writeUInt32LE(claimed, 24);
    return resealed(bytes);
  };
  const fields = encoded.subarray(32, 32 + fieldsBytes);
  t.is(failureOf(withFields(fields)), undefined);
  const text = (replace: string, by: string) =>
    Buffer.from(Buffer.from(fields).toString('latin1').replace(replace, by), 'latin1');
  const cases: Record<string, Uint8Array> = {
    'not msgpack': Buffer.alloc(fieldsBytes, 0xc1),
    'a number': pack(7),
    'an empty map': pack({}),
    'another dtype': text('float32', 'float64'),
    'another offset': text('4611686018427387905', '46116860184273879xx'),
    'a huge shape': pack({
      fingerprint: '',
      partition: '',
      offset: '0',
      timestamp: 0,
      segments: 0,
      tokens: 0,
      bytes: 0,
      bits: 0,
      carry: 0,
      pendingTokens: 2 ** 40,
      pendingByteLengths: 0,
      hiddenSum: 0,
      lexicalCounts: 0,
      lastToken: -1,
      dtype: 'float32',
      memoryCount: 0,
      compressedMemoryCount: 0,
      tensors: [['memory', [2 ** 50, 2 ** 50]]],
    }),
    'a negative length': pack({
      fingerprint: '',
      partition: '',
      offset: '0',
      timestamp: 0,
      segments: 0,
      tokens: 0,
      bytes: 0,
      bits: 0,
      carry: -5,
      pendingTokens: 0,
      pendingByteLengths: 0,
      hiddenSum: 0,
      lexicalCounts: 0,
      lastToken: -1,
      dtype: 'float32',
      memoryCount: 0,
      compressedMemoryCount: 0,
      tensors: [],
    }),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    t.true(failureOf(withFields(bytes)) instanceof CorruptMemoryError, what);
  }
  for (const claimed of [0, fieldsBytes - 1, fieldsBytes + 1, encoded.length, 2 ** 32 - 1]) {
    t.true(failureOf(withFields(fields, claimed)) instanceof CorruptMemoryError, `fields of ${claimed} bytes`);
  }
});

test('decodeMemoryRecord survives random bytes', t => {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  for (let round = 0; round < 3000; round++) {
    // One in three begins with a header that holds, so that the fields are reached.
    const body = Uint8Array.from({length: Math.floor(random() * 600)}, () => random() * 256);
    let bytes: Uint8Array = body;
    if (round % 3 > 0) {
      const header = Buffer.from(encoded.subarray(0, 32));
      header.writeUInt32LE(Math.floor(random() * (body.length + 1)), 24);
      bytes = round % 3 === 1 ? Buffer.concat([header, body]) : resealed(Buffer.concat([header, body]));
    }
    if (!(failureOf(bytes) instanceof CorruptMemoryError)) t.fail(`round ${round}`);
  }
  t.true(performance.now() - start < 20_000);
  t.true(process.memoryUsage().arrayBuffers - before < 2 ** 27);
});

test('decodeMemoryRecord shares no memory with its input', t => {
  for (const dtype of ['float32', 'float16'] as const) {
    const pooled = Buffer.concat([Buffer.alloc(3), encodeMemoryRecord(record, {dtype}), Buffer.alloc(3)]);
    const input = pooled.subarray(3, -3);
    const decoded = decodeMemoryRecord(input, 'a');
    const arrays = [
      decoded.carry,
      decoded.pendingTokens,
      decoded.pendingByteLengths,
      decoded.summary.hiddenSum,
      decoded.summary.lexicalCounts,
      ...Object.values(decoded.memory.tensors).map(({data}) => data),
    ];
    for (const array of arrays) {
      t.not(array.buffer, pooled.buffer);
      t.is(array.buffer.byteLength, array.byteLength);
    }
    const copy = structuredClone(decoded);
    pooled.fill(0x55);
    t.deepEqual(decoded, copy);
  }
});
