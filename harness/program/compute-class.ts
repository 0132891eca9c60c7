/**
 * What decides the last bits of what is computed here. Libraries choose their kernels by what the processor can do, and other
 * kernels add in another order: within one class the same inputs give the same bytes, between two they agree to rounding.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { versionOf } from './code.js';

/** Their kernels compute what stages leave. */
const computing = ['onnxruntime-node', '@tensorflow/tfjs-core'] as const;

export interface ClassFacts {
  platform: string;
  arch: string;
  /** Who made the processor and what it can do; undefined where this system does not tell. */
  processor: Processor | undefined;
  /** The processor's name, for systems that tell nothing else. */
  model: string;
  /** OPENBLAS_CORETYPE, which takes the place of OpenBLAS's own choice. */
  forcedCore?: string | undefined;
  /** Versions by name. */
  libraries: Readonly<Record<string, string>>;
}

export interface Processor {
  maker: string;
  /** As Linux calls them: `avx2`, `asimddp`. */
  features: ReadonlySet<string>;
}

/**
 * `linux x64 GenuineIntel avx512+avx512_vnni; onnxruntime-node 1.30.0, ...`.
 * @param libraries names of the packages that compute; what is not installed is left out
 */
export function computeClass(libraries: readonly string[] = computing): string {
  const versions = libraries.flatMap((name) => {
    const version = versionOf(name);
    return version === undefined ? [] : [[name, version] as const];
  });
  return classOf({
    platform: process.platform,
    arch: process.arch,
    processor: processorHere(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    forcedCore: process.env.OPENBLAS_CORETYPE,
    libraries: Object.fromEntries(versions),
  });
}

export function classOf({ platform, arch, processor, model, forcedCore, libraries }: ClassFacts): string {
  const told = processor === undefined ? model : `${processor.maker} ${levelOf(arch, processor.features)}`;
  const forced = forcedCore === undefined || forcedCore === '' ? '' : ` OPENBLAS_CORETYPE=${forcedCore}`;
  const names = Object.keys(libraries).sort();
  return `${platform} ${arch} ${told}${forced}; ${names.map((name) => `${name} ${libraries[name]}`).join(', ')}`;
}

/** Each level needs all that is named with it: ONNX Runtime and OpenBLAS ask for these together. The highest comes first. */
const levels: readonly (readonly [string, readonly string[]])[] = [
  ['avx512', ['avx2', 'fma', 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl']],
  ['avx2', ['avx2', 'fma']],
  ['avx', ['avx']],
  ['sse4_1', ['sse4_1']],
];

/** Beyond a level: each has kernels of its own in ONNX Runtime, OpenBLAS or usearch. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  x64: [
    'f16c',
    'avx512_vnni',
    'avx_vnni',
    'avx_vnni_int8',
    'avx_ne_convert',
    'avx512_bf16',
    'avx512_fp16',
    'avx512_vp2intersect',
    'amx_tile',
    'amx_int8',
    'amx_bf16',
    'amx_fp16',
    'avx10_1',
    'avx10_2',
  ],
  arm64: [
    'asimdhp',
    'asimddp',
    'asimdfhm',
    'i8mm',
    'bf16',
    'sve',
    'svei8mm',
    'svebf16',
    'sve2',
    'sme',
    'sme2',
  ],
};

function levelOf(arch: string, features: ReadonlySet<string>): string {
  const level =
    arch === 'x64'
      ? (levels.find(([, needed]) => needed.every((each) => features.has(each)))?.[0] ?? 'sse2')
      : 'neon';
  return [level, ...(beyond[arch] ?? []).filter((each) => features.has(each))].join('+');
}

let here: { processor: Processor | undefined } | undefined;

function processorHere(): Processor | undefined {
  here ??= { processor: readProcessor() };
  return here.processor;
}

function readProcessor(): Processor | undefined {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined;
  try {
    if (process.platform === 'linux') return linuxProcessor(readFileSync('/proc/cpuinfo', 'utf8'));
    if (process.platform === 'darwin') {
      return macProcessor(execFileSync('sysctl', ['machdep.cpu', 'hw.optional'], { encoding: 'utf8' }));
    }
  } catch {
    // A system that hides it, or lacks the command: the processor's name stands for it, which is finer than needed.
  }
  return undefined;
}

/** @param text of /proc/cpuinfo @returns undefined where it names no features */
export function linuxProcessor(text: string): Processor | undefined {
  const values = (name: string) => [
    ...new Set([...text.matchAll(new RegExp(`^${name}\\s*:(.*)$`, 'gm'))].map(([, value]) => value!.trim())),
  ];
  const features = values('(?:flags|Features)');
  if (features.length === 0) return undefined;
  // The implementer and the part of arm64: OpenBLAS chooses by them; cores of two kinds have two parts.
  const maker = [...values('vendor_id'), ...values('CPU implementer'), ...values('CPU part').sort()].join(
    ' ',
  );
  // Work may land on any core: what all of them can do.
  const [first = [], ...others] = features.map((line) => line.split(/\s+/));
  const common = first.filter((each) => others.every((line) => line.includes(each)));
  return { maker: maker === '' ? 'unknown' : maker, features: new Set(common) };
}

/** The names that sysctl has for them, and Linux. */
const macNames: Readonly<Record<string, string>> = {
  FEAT_FP16: 'asimdhp',
  FEAT_DotProd: 'asimddp',
  FEAT_FHM: 'asimdfhm',
  FEAT_I8MM: 'i8mm',
  FEAT_BF16: 'bf16',
  FEAT_SME: 'sme',
  FEAT_SME2: 'sme2',
  'SSE4.1': 'sse4_1',
  'AVX1.0': 'avx',
  AVX512VNNI: 'avx512_vnni',
};

/** @param text of `sysctl machdep.cpu hw.optional` @returns undefined where it names no features */
export function macProcessor(text: string): Processor | undefined {
  const values = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
  const listed = ['machdep.cpu.features', 'machdep.cpu.leaf7_features'].flatMap(
    (name) => values.get(name)?.split(/\s+/) ?? [],
  );
  const optional = [...values].flatMap(([name, value]) =>
    name.startsWith('hw.optional.arm.') && value === '1' ? [name.slice('hw.optional.arm.'.length)] : [],
  );
  const found = [...listed, ...optional];
  if (found.length === 0) return undefined;
  const maker = values.get('machdep.cpu.vendor') ?? values.get('machdep.cpu.brand_string') ?? 'Apple';
  return { maker, features: new Set(found.map((name) => macNames[name] ?? name.toLowerCase())) };
}
