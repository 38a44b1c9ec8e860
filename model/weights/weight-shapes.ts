import type {ModelConfig} from '../model-config.ts';

/** Names and shapes of all weights of a model, in reading order; the table in `docs/model.md`. */
export function weightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const {
    layers,
    heads: H,
    modelWidth: d,
    feedForwardWidth: f,
    vocabularySize: V,
    compressionRate: c,
    compressedMemoryLength,
    compressor,
  } = config;
  const k = d / H;
  const shapes = new Map<string, readonly number[]>([['embedding.weight', [V, d]]]);
  for (let i = 0; i < layers; i++) {
    const attention = `layers.${i}.attention`;
    shapes.set(`${attention}.normalisation.gain`, [d]);
    shapes.set(`${attention}.normalisation.bias`, [d]);
    for (const name of ['query', 'key', 'value', 'output']) shapes.set(`${attention}.${name}.weight`, [d, d]);
    shapes.set(`${attention}.content_bias`, [H, k]);
    shapes.set(`${attention}.position_bias`, [H, k]);
    shapes.set(`${attention}.position.weight`, [d, d]);
    if (compressedMemoryLength > 0) {
      shapes.set(`${attention}.compressed_position_bias`, [H, k]);
      shapes.set(`${attention}.compressed_position.weight`, [d, d]);
    }
    const feedForward = `layers.${i}.feed_forward`;
    shapes.set(`${feedForward}.normalisation.gain`, [d]);
    shapes.set(`${feedForward}.normalisation.bias`, [d]);
    shapes.set(`${feedForward}.inner.weight`, [d, f]);
    shapes.set(`${feedForward}.inner.bias`, [f]);
    shapes.set(`${feedForward}.outer.weight`, [f, d]);
    shapes.set(`${feedForward}.outer.bias`, [d]);
    if (compressedMemoryLength > 0 && compressor === 'convolution') {
      shapes.set(`layers.${i}.compressor.weight`, [c, d, d]);
    }
    if (compressedMemoryLength > 0 && compressor === 'dilated-convolution') {
      for (const j of [0, 1, 2]) shapes.set(`layers.${i}.compressor.dilated.${j}.weight`, [2, d, d]);
      shapes.set(`layers.${i}.compressor.strided.weight`, [c, d, d]);
    }
  }
  shapes.set('final_normalisation.gain', [d]);
  shapes.set('final_normalisation.bias', [d]);
  return shapes;
}
