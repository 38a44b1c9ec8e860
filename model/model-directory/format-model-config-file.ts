import {type ModelDescription, modelConfigFile} from './model-config-file.ts';

/** The text of a `config.json`. */
export function formatModelConfigFile(
  {name, config, trained}: ModelDescription,
  {tokenizer}: {readonly tokenizer: 'byte' | undefined},
): string {
  const sizes = Object.entries(modelConfigFile).map(([field, property]) => [field, config[property]]);
  const object = {
    model_type: 'compressive-transformer',
    architectures: ['CompressiveTransformer'],
    name,
    trained,
    ...Object.fromEntries(sizes),
    ...(tokenizer === undefined ? {} : {tokenizer}),
  };
  return `${JSON.stringify(object, undefined, 2)}\n`;
}
