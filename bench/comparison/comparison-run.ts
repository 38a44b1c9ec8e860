import type {CompressorName} from '../../model/compressor-name.ts';
import type {CompressionLossName} from '../../training/compression-loss.ts';

/** One training run of the comparison: what differs from the others. */
export type ComparisonRun = {
  readonly system: 'Transformer-XL' | 'Compressive Transformer';
  /** Tokens of a segment. @default 64 */
  readonly segmentLength?: number;
  /** n_m */
  readonly memoryLength: number;
  /** n_cm */
  readonly compressedMemoryLength: number;
  readonly compressor: CompressorName;
  readonly compressionLoss: CompressionLossName;
  /** Greatest global norm of gradients. @default 1 */
  readonly clip?: number;
  /** Steps between two updates in the last third of the run. @default 1 */
  readonly lateUpdatesEvery?: number;
  readonly seed: number;
};

/** Of the folder of a run: what differs, in a few letters. */
export function runName({
  system,
  segmentLength,
  memoryLength,
  compressedMemoryLength,
  compressor,
  compressionLoss,
  clip,
  lateUpdatesEvery,
  seed,
}: ComparisonRun): string {
  const parts =
    system === 'Transformer-XL'
      ? ['transformer-xl', memoryLength]
      : ['compressive', memoryLength, compressedMemoryLength, compressor, compressionLoss];
  return [
    ...parts,
    ...(segmentLength === undefined ? [] : ['segments', segmentLength]),
    ...(clip === undefined ? [] : ['clip', clip]),
    ...(lateUpdatesEvery === undefined ? [] : ['updates', lateUpdatesEvery]),
    'seed',
    seed,
  ].join('-');
}
