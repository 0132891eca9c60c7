/** What the machine computes with. */

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { counted } from '../../counted.js';
import { parseJson } from '../../json.js';
import { computeClass } from '../../program/compute-class.js';

export interface Check {
  name: string;
  /** `absent` can be done without, `failed` cannot. */
  state: 'ok' | 'absent' | 'failed';
  /** What was found, or why it cannot be used. */
  detail: string;
  /** What is lacking where it is absent. */
  without?: string;
  /** The command that adds it. */
  remedy?: string;
}

/** What a room says of an engine or a searcher. */
interface Description {
  name: string;
  available: boolean;
  detail: string;
  hint?: string;
  /** What is lacking where it is missing. */
  without?: string;
}

const losses: Readonly<Record<string, string>> = {
  onnx: 'models run only on another engine',
  tensorflow: 'no training and encoding by TensorFlow; onnx does it on the processor and on WebGPU',
  'tfjs-cpu': 'the other engines cannot be tested against their reference',
};

export function checkMachine(): Check[] {
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return [
    checkNode(process.versions.node, requiredNode()),
    {
      name: 'processor',
      state: 'ok',
      detail: `${counted(availableParallelism(), 'cores')}, ${cpus()[0]?.model.trim() ?? 'unknown model'}, ${process.platform} ${process.arch}`,
    },
    { name: 'compute class', state: 'ok', detail: computeClass() },
    { name: 'memory', state: 'ok', detail: `${gibibytes(freemem())} free of ${gibibytes(totalmem())}` },
  ];
}

/** @param required the lowest version, `20.19` */
function checkNode(version: string, required: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = required.split('.').map(Number);
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (enough) return { name: 'Node.js', state: 'ok', detail: version };
  return {
    name: 'Node.js',
    state: 'failed',
    detail: `${version}, and ${required} or later is needed`,
    remedy: 'install a current release from https://nodejs.org',
  };
}

function requiredNode(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  const { engines } = parseJson(readFileSync(file, 'utf8')) as { engines: { node: string } };
  return engines.node.replace(/^>=/, '');
}

/** At least one engine that can be chosen by `auto` is needed. */
export async function checkEngines(): Promise<Check[]> {
  const { describeEngines } = await import('../../tensor/engines.js');
  const found: Description[] = await describeEngines();
  const usable = found.some(({ name, available }) => available && name !== 'tfjs-cpu');
  return found.map((engine) => checkOf('engine', engine, !usable && engine.name === 'onnx'));
}

/** None of them is needed. */
export async function checkDevices(): Promise<Check[]> {
  const { describeDevices } = await import('../../tensor/engines.js');
  const found: Description[] = await describeDevices();
  const without = 'models run on the processor, or on another device';
  return found.map((device) => checkOf('device', { ...device, without }, false));
}

export async function checkSearchers(): Promise<Check[]> {
  const { describeSearchers } = await import('../../pipeline/searchers.js');
  const found: Description[] = await describeSearchers();
  const usable = found.some(({ available }) => available);
  return found.map((searcher) => checkOf('searcher', searcher, !usable));
}

function checkOf(kind: string, described: Description, required: boolean): Check {
  const { name, available, detail, hint, without = losses[name] } = described;
  if (available) return { name: `${kind} ${name}`, state: 'ok', detail };
  return {
    name: `${kind} ${name}`,
    state: required ? 'failed' : 'absent',
    detail,
    ...(without === undefined ? {} : { without }),
    ...(hint === undefined ? {} : { remedy: hint }),
  };
}
