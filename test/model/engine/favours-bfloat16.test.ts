import test from 'ava';
import {favoursBfloat16} from '../../../model/engine/favours-bfloat16.ts';

const cpuinfo = (vendor: string, flags: string) =>
  ['0', '1'].map(n => `processor\t: ${n}\nvendor_id\t: ${vendor}\nflags\t\t: fpu ${flags} clflush\n`).join('\n');

for (const [vendor, flags, expected] of [
  ['GenuineIntel', 'avx512f avx512_bf16 amx_bf16 amx_tile', true],
  ['GenuineIntel', 'avx512f avx512_bf16', false],
  ['GenuineIntel', 'avx512f', false],
  ['AuthenticAMD', 'avx512f avx512_bf16', true],
  ['AuthenticAMD', 'avx512f', false],
] as const) {
  test(`favoursBfloat16 is ${expected} for ${vendor} with ${flags}`, t => {
    t.is(favoursBfloat16(cpuinfo(vendor, flags)), expected);
  });
}

test('favoursBfloat16 is false where nothing is known of the processor', t => {
  t.false(favoursBfloat16(''));
  t.false(favoursBfloat16('processor\t: 0\nFeatures\t: fp asimd bf16\n'));
});
