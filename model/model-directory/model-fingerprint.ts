import {createHash} from 'node:crypto';
import {canonicalJson} from '../canonical-json.ts';
import type {ModelConfig} from '../model-config.ts';
import type {StoredSummaryHead} from '../summary/read-summary-head.ts';
import type {StoredTensor} from '../weights/tensor-type.ts';

export type ModelFingerprintOptions = {
  readonly config: ModelConfig;
  readonly tokenizerFingerprint: string;
  /** As they are stored: the same values in another type give another fingerprint. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
};

/**
 * The first 16 hexadecimal digits of a SHA-256 over all that decides what a model without a summary head computes. Does not depend on the order
 * of keys or tensors, nor on the model's name.
 */
export function modelFingerprint({config, tokenizerFingerprint, tensors}: ModelFingerprintOptions): string {
  return digestOf(`palimpsest model 1\n${canonicalJson(config)}\n${tokenizerFingerprint}\n`, tensors);
}

/** The fingerprint of a model with a summary head. */
export function fingerprintWithHead(
  model: string,
  {tensors, head}: Pick<StoredSummaryHead, 'tensors' | 'head'>,
): string {
  return digestOf(
    `palimpsest summary head 1\n${model}\n${canonicalJson({parts: head.parts, shares: head.shares})}\n`,
    tensors,
  );
}

function digestOf(beginning: string, tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash('sha256');
  hash.update(beginning);
  const names = [...tensors.keys()].sort();
  for (const name of names) {
    const {type, shape, data} = tensors.get(name)!;
    hash.update(`${JSON.stringify([name, type, shape])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}
