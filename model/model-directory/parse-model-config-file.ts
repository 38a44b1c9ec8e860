import {ModelError} from '../../errors.ts';
import type {ModelConfig} from '../model-config.ts';
import {shownValue} from '../shown-value.ts';
import {validateModelConfig} from '../validate-model-config.ts';
import {type ModelDescription, modelConfigFile} from './model-config-file.ts';

export type ParsedModelConfigFile = ModelDescription & {
  /** `undefined` if a tokenizer.json belongs to the model. */
  readonly tokenizer: 'byte' | undefined;
};

/**
 * Checks the content of a `config.json`. Fields that it does not know are ignored.
 *
 * @throws {ModelError} If it is not the configuration of a Compressive Transformer; names the field.
 */
export function parseModelConfigFile(json: unknown, {path}: {readonly path: string}): ParsedModelConfigFile {
  const fail = (rule: string, value: unknown): ModelError =>
    new ModelError(`Cannot read "${path}" as ${rule}: current value is ${shownValue(value)}; correct the file`);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('it must be an object', json);
  const object = json as Record<string, unknown>;
  const {model_type: type, name, trained, tokenizer} = object;
  if (type !== 'compressive-transformer') throw fail('model_type must be "compressive-transformer"', type);
  if (typeof name !== 'string' || name === '') throw fail('name must be a string that is not empty', name);
  if (typeof trained !== 'boolean') throw fail('trained must be true or false', trained);
  if (tokenizer !== undefined && tokenizer !== 'byte') throw fail('tokenizer must be "byte" or absent', tokenizer);
  const config = Object.fromEntries(
    Object.entries(modelConfigFile).map(([field, property]) => [property, object[field]]),
  ) as unknown as ModelConfig;
  try {
    validateModelConfig(config);
  } catch (error) {
    const message = inWordsOfTheFile((error as Error).message);
    throw new ModelError(`Cannot read "${path}" as ${message}; correct the file`, {cause: error});
  }
  return {name, config, trained, tokenizer};
}

function inWordsOfTheFile(message: string): string {
  let text = message.slice(message.indexOf(' as ') + ' as '.length);
  for (const [field, property] of Object.entries(modelConfigFile)) text = text.replaceAll(property, field);
  return text;
}
