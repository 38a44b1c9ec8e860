import {readFileSync} from 'node:fs';

/**
 * Whether a processor multiplies faster in bfloat16 than in float32: by its matrix unit (AMX), or by vectors (AVX512-BF16) if it is not
 * Intel's, on whose vectors bfloat16 reaches 0.6 times what float32 does (docs/performance.md); on AMD's it reaches twice as much.
 *
 * @param description The text of Linux's `/proc/cpuinfo`; its first processor counts. Elsewhere it is empty: not known to.
 */
export function favoursBfloat16(description = processorDescription()): boolean {
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(description)?.[1] ?? '';
  const sets = field('flags').split(' ');
  return sets.includes('amx_bf16') || (sets.includes('avx512_bf16') && field('vendor_id') !== 'GenuineIntel');
}

function processorDescription(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
