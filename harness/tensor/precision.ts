/** Which engine multiplies with weights in which precision. */
import type { Precision } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { DeviceName, Engine } from './engine.js';
import { deviceTrial } from './onnx/device-trial.js';

interface Where {
  /** Devices of the engine 'onnx' that have it. */
  devices: readonly DeviceName[];
  words: string;
  /** What to give instead. */
  hint: string;
}

const where: Readonly<Record<Exclude<Precision, 'float32'>, Where>> = {
  int8: { devices: ['cpu'], words: 'on the CPU', hint: 'Give --engine onnx --device cpu' },
  f16: {
    devices: ['webgpu', 'cuda', 'cpu'],
    words: 'on webgpu, cuda, or for comparison on cpu',
    hint: 'Give --engine onnx',
  },
};

/**
 * @throws BenchError CONFIG_INVALID where the engine does not compute so, with what does; UNAVAILABLE where this machine's
 *   device lacks it
 */
export async function assertPrecision(
  { name, device }: Pick<Engine, 'name' | 'device'>,
  precision: Precision,
): Promise<void> {
  if (precision === 'float32') return;
  const { devices, words, hint } = where[precision];
  if (name !== 'onnx' || !devices.includes(device))
    throw new BenchError(
      'CONFIG_INVALID',
      `encode.precision=${precision} is for the engine 'onnx' ${words}, and this run computes with '${name}' on ${device}.`,
      { hint: `${hint}, or leave encode.precision at float32.` },
    );
  if (precision !== 'f16' || device === 'cpu') return;
  const found = await deviceTrial(device, precision);
  if (found.works) return;
  throw new BenchError(
    'UNAVAILABLE',
    `encode.precision=f16 does not work on ${device} here, which computes in float32: ${found.why}`,
    {
      hint: 'A GPU needs float16 in its shaders (shader-f16 of WebGPU), which some GPUs and software drivers lack: leave encode.precision at float32.',
    },
  );
}
