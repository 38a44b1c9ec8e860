/** Names of the files of a model's folder, the layout of Hugging Face. */
export const modelDirectoryFiles = {
  config: 'config.json',
  weights: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
} as const;
