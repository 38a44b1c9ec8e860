/** Names of the files of a model's folder, the layout of Hugging Face. */
export const modelDirectoryFiles = {
  config: 'config.json',
  weights: 'model.safetensors',
  /** The summary head; optional. */
  summary: 'summary.safetensors',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
} as const;
