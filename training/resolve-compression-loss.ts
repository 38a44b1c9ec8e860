import type {ModelConfig} from '../model/model-config.ts';
import {weightShapes} from '../model/weights/weight-shapes.ts';
import type {CompressionLossName} from './compression-loss.ts';

/**
 * The loss that trains a model's compressors.
 *
 * @param choice Default: attention reconstruction if they have weights, none if not.
 * @throws {RangeError} If the compressors have weights that nothing would train, or none that the loss could train.
 */
export function resolveCompressionLoss(config: ModelConfig, choice?: CompressionLossName): CompressionLossName {
  const {compressor, compressedMemoryLength} = config;
  const fail = (rule: string) =>
    new RangeError(`Cannot train as ${rule}: current value of compressionLoss is "${choice}"`);
  const learns = [...weightShapes(config).keys()].some(name => name.includes('.compressor.'));
  const compressionLoss = choice ?? (learns ? 'attention-reconstruction' : 'none');
  if (learns && compressionLoss === 'none') {
    throw fail(`compressor "${compressor}" has weights, which "attention-reconstruction" or another loss must train`);
  }
  if (!learns && (compressionLoss === 'attention-reconstruction' || compressionLoss === 'auto-encoding')) {
    const what = compressedMemoryLength === 0 ? 'a model without compressed memory' : `compressor "${compressor}"`;
    throw fail(`${what} has no weights for a loss of its own: "none" and "backpropagation" are possible`);
  }
  return compressionLoss;
}
