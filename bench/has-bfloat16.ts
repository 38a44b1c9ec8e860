import {readFileSync} from 'node:fs';

/** Whether this processor multiplies in bfloat16 (AVX512-BF16), as Linux says; elsewhere it counts as not. */
export function hasBfloat16(): boolean {
  try {
    return /\bavx512_bf16\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}
