/** Linux's names of what `-march=native` selects instructions by; its other flags change with the kernel, microcode and hypervisor. */
const selectable =
  /^(mmx|sse\w*|pni|ssse3|avx\w*|amx\w*|apx\w*|fma4?|f16c|bmi[12]|abm|tbm|xop|popcnt|movbe|movdir\w+|adx|v?aes|v?pclmulqdq|sha\w*|sm[34]|gfni|cx16|lahf_lm|3dnowprefetch)$/;

/**
 * What compilers can use of a processor: on x86 the names of its instruction sets in order, on ARM its line of features.
 *
 * @param description The text of `/proc/cpuinfo`; its first processor counts.
 */
export function instructionSets(description: string): string {
  const flags = /^flags\s*:(.*)$/m.exec(description)?.[1];
  if (flags === undefined) return /^Features\s*:\s*(.*)$/m.exec(description)?.[1] ?? '';
  return flags
    .split(/\s+/)
    .filter(flag => selectable.test(flag))
    .sort()
    .join(' ');
}
