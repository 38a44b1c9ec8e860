import {createHash} from 'node:crypto';
import {mkdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {ModelError} from '../../errors.ts';
import {readSafetensors} from '../../model/weights/read-safetensors.ts';
import {writeSafetensors} from '../../model/weights/write-safetensors.ts';

export type ExcerptFeaturesCacheOptions = {
  /** Fingerprint of the model without a head. */
  readonly model: string;
  /** Tokens of an excerpt. */
  readonly length: number;
  /** Excerpts of a document that are read at most. */
  readonly readExcerpts: number;
  /** Excerpts of a document, from its start, that they are taken from. */
  readonly mostExcerpts: number;
};

/**
 * Keeps in a folder what a model made of each document's excerpts, a file for each document, so that training goes on after an interruption without
 * reading again. Files of other models, lengths and documents lie beside each other.
 */
export class ExcerptFeaturesCache {
  readonly #folder: string;
  readonly #options: ExcerptFeaturesCacheOptions;

  private constructor(folder: string, options: ExcerptFeaturesCacheOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws {ModelError} If the folder cannot be made. */
  static async open(folder: string, options: ExcerptFeaturesCacheOptions): Promise<ExcerptFeaturesCache> {
    try {
      await mkdir(folder, {recursive: true});
    } catch (cause) {
      throw new ModelError(`Cannot keep features in "${folder}" as ${(cause as Error).message}`, {cause});
    }
    return new ExcerptFeaturesCache(folder, options);
  }

  /**
   * The features of a document's excerpts, computed unless they are kept.
   *
   * @param digest Of the document's content.
   * @throws {ModelError} If a file cannot be written, or was damaged.
   */
  async get(digest: string, compute: () => Promise<readonly Float32Array[]>): Promise<readonly Float32Array[]> {
    const {model, length, readExcerpts, mostExcerpts} = this.#options;
    const key = ['palimpsest excerpt features 1', model, length, readExcerpts, mostExcerpts, digest].join('\n');
    const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const path = join(this.#folder, `${name}.safetensors`);
    if (await isFile(path)) return await readFeatures(path);
    const features = await compute();
    const data = new Float32Array(features.reduce((sum, {length: size}) => sum + size, 0)); // [E, G]
    for (const [row, values] of features.entries()) data.set(values, row * values.length);
    const shape = [features.length, features[0]!.length];
    await writeSafetensors(path, new Map([['features', {shape, data}]]));
    return features;
  }
}

async function readFeatures(path: string): Promise<Float32Array[]> {
  const {tensors} = await readSafetensors(path);
  const stored = tensors.get('features');
  if (stored?.type !== 'F32' || stored.shape.length !== 2)
    throw new ModelError(`Cannot use "${path}" as it must hold floats "features" of two dimensions; remove it`);
  const [rows, columns] = stored.shape as [number, number];
  return Array.from({length: rows}, (_, row) => stored.data.slice(row * columns, (row + 1) * columns));
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    status => status.isFile(),
    () => false,
  );
}
