import test from 'ava';
import {instructionSets} from '../../../model/engine/instruction-sets.ts';

const cpuinfo = (flags: string) =>
  `processor\t: 0\nmodel name\t: Some processor\nflags\t\t: ${flags}\nbugs\t\t: spectre_v1\n\nprocessor\t: 1\nflags\t\t: fpu\n`;

const sets = 'sse sse2 pni pclmulqdq ssse3 fma cx16 sse4_1 movbe popcnt aes avx f16c lahf_lm abm bmi1 avx2 bmi2';
const late = 'avx512f adx sha_ni avx_vnni avx512_bf16 gfni vaes vpclmulqdq avx512_vnni amx_bf16 amx_tile amx_int8';

test('instructionSets names what instructions are selected by on x86', t => {
  t.deepEqual(
    instructionSets(cpuinfo(`fpu vme ${sets} rdrand ${late} arch_capabilities`)),
    `${sets} ${late}`.split(' ').sort().join(' '),
  );
});

test('instructionSets does not change with microcode, kernel, hypervisor or order', t => {
  const before = instructionSets(cpuinfo(`fpu ${sets} hypervisor ${late}`));
  const security = 'ssbd ibrs ibpb stibp ibrs_enhanced md_clear flush_l1d arch_capabilities bus_lock_detect user_shstk';
  t.is(instructionSets(cpuinfo(`fpu ${late} xsave ${sets} pku ospke umip rtm hle ${security}`)), before);
  t.not(instructionSets(cpuinfo(`fpu ${sets} hypervisor ${late} avx512_fp16`)), before);
});

test('instructionSets takes the line of features on ARM as it is, and nothing from what names none', t => {
  const features = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp';
  t.is(instructionSets(`processor\t: 0\nFeatures\t: ${features}\nCPU implementer\t: 0x41\n`), features);
  t.is(instructionSets('processor\t: 0\n'), '');
});
