/** What decides the last bits: one string, the same for machines whose libraries choose the same kernels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ClassFacts,
  classOf,
  computeClass,
  linuxProcessor,
  macProcessor,
} from '../harness/program/compute-class.js';

/** @param features of each processor of the machine */
const cpuinfo = (vendor: string, ...features: string[]) =>
  features
    .map(
      (flags, i) => `processor\t: ${i}\nvendor_id\t: ${vendor}\nmodel name\t: a name\nflags\t\t: ${flags}\n`,
    )
    .join('\n');
const facts = (text: string, more: Partial<ClassFacts> = {}): ClassFacts => ({
  platform: 'linux',
  arch: 'x64',
  processor: linuxProcessor(text),
  model: 'a name',
  libraries: { 'onnxruntime-node': '1.30.0', '@tensorflow/tfjs-core': '4.22.0' },
  ...more,
});
const old = 'fpu sse2 ssse3 sse4_1 sse4_2 avx f16c';
const haswell = `${old} fma avx2 bmi2`;
const skylake = `${haswell} avx512f avx512dq avx512cd avx512bw avx512vl`;
const sapphire = `${skylake} avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16`;
const processorOf = (text: string) => classOf(facts(text)).split(';')[0];

test('names the level of instructions and what goes beyond it, the maker, the libraries', () => {
  assert.equal(
    classOf(facts(cpuinfo('GenuineIntel', haswell))),
    'linux x64 GenuineIntel avx2+f16c; @tensorflow/tfjs-core 4.22.0, onnxruntime-node 1.30.0',
  );
  const levels = [
    ['fpu sse2', 'sse2'],
    ['fpu sse2 sse4_1', 'sse4_1'],
    [old, 'avx+f16c'],
    // Kernels of AVX2 need FMA too, and those of AVX-512 all of its parts.
    [`${old} avx2`, 'avx+f16c'],
    [`${haswell} avx512f`, 'avx2+f16c'],
    [skylake, 'avx512+f16c'],
    [sapphire, 'avx512+f16c+avx512_vnni+avx512_bf16+avx512_fp16+amx_tile+amx_int8+amx_bf16'],
  ];
  for (const [flags, level] of levels)
    assert.equal(processorOf(cpuinfo('GenuineIntel', flags!)), `linux x64 GenuineIntel ${level}`);
});

test('is another for another maker, level, architecture, system, library or forced kernel, and the same for what decides nothing', () => {
  const text = cpuinfo('GenuineIntel', skylake);
  const others = [
    facts(cpuinfo('AuthenticAMD', skylake)),
    facts(cpuinfo('GenuineIntel', haswell)),
    facts(text, { arch: 'arm64' }),
    facts(text, { platform: 'darwin' }),
    facts(text, { libraries: { 'onnxruntime-node': '1.31.0', '@tensorflow/tfjs-core': '4.22.0' } }),
    facts(text, { forcedCore: 'Haswell' }),
  ];
  const classes = [facts(text), ...others].map(classOf);
  assert.equal(new Set(classes).size, classes.length, classes.join('\n'));
  const same = [
    facts(cpuinfo('GenuineIntel', `${skylake} sha_ni hypervisor`, `${skylake} sha_ni hypervisor`)),
    facts(text, { forcedCore: '', model: 'another name' }),
  ];
  for (const each of same) assert.equal(classOf(each), classes[0]);
});

test('of cores of two kinds it takes what all can do', () => {
  assert.equal(processorOf(cpuinfo('GenuineIntel', skylake, haswell)), 'linux x64 GenuineIntel avx2+f16c');
});

test('of arm64 it names the implementer and the parts, by which OpenBLAS chooses', () => {
  const core = (part: string) =>
    `Features\t: fp asimd aes crc32 asimdhp asimddp sve i8mm\nCPU implementer\t: 0x41\nCPU part\t: ${part}\n`;
  const graviton = facts(`${core('0xd40')}\n${core('0xd40')}`, { arch: 'arm64' });
  assert.match(classOf(graviton), /^linux arm64 0x41 0xd40 neon\+asimdhp\+asimddp\+i8mm\+sve;/);
  const mixed = facts(`${core('0xd40')}\n${core('0xd05')}`, { arch: 'arm64' });
  assert.match(classOf(mixed), /^linux arm64 0x41 0xd05 0xd40 neon/);
});

test('of macOS it reads what sysctl says', () => {
  const apple = macProcessor(
    'machdep.cpu.brand_string: Apple M2\nhw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_SME: 0\nhw.optional.floatingpoint: 1\n',
  );
  assert.deepEqual(apple, { maker: 'Apple M2', features: new Set(['asimddp', 'bf16']) });
  const intel = macProcessor(
    'machdep.cpu.vendor: GenuineIntel\nmachdep.cpu.features: FPU SSE2 SSE4.1 AVX1.0 FMA F16C\nmachdep.cpu.leaf7_features: AVX2 BMI2\n',
  );
  assert.equal(
    classOf({ ...facts(''), platform: 'darwin', processor: intel }).split(';')[0],
    'darwin x64 GenuineIntel avx2+f16c',
  );
  assert.equal(macProcessor('hw.optional.floatingpoint: 1\n'), undefined);
});

test('where a system tells no features the name of the processor stands for them', () => {
  assert.equal(linuxProcessor('processor: 0\n'), undefined);
  assert.match(classOf(facts('')), /^linux x64 a name;/);
});

test('of this machine it is one line, the same at each call, with the library that computes', () => {
  const here = computeClass();
  assert.equal(computeClass(), here);
  assert.match(
    here,
    new RegExp(`^${process.platform} ${process.arch} \\S[^\\n]*; [^\\n]*onnxruntime-node \\d`),
  );
  assert.doesNotMatch(computeClass([]), /onnxruntime/);
  assert.equal(computeClass(['no-such-package']), computeClass([]));
});
