/** Which engine multiplies with weights in which precision. */
import { BenchError } from '../errors.js';
import type { Engine } from './engine.js';
import { deviceTrial } from './onnx/device-trial.js';
import { loadPrecision, type PrecisionPlugin } from './onnx/precision.js';

/**
 * @returns undefined for float32
 * @throws BenchError CONFIG_INVALID where the engine does not compute so, with what does; UNAVAILABLE where this machine's
 *   device lacks it; UNKNOWN_NAME
 */
export async function assertPrecision(
  { name, device }: Pick<Engine, 'name' | 'device'>,
  precision: string,
): Promise<PrecisionPlugin | undefined> {
  const plugin = await loadPrecision(precision);
  if (plugin === undefined) return undefined;
  const { devices, where, hint, deviceNeeds } = plugin;
  if (name !== 'onnx' || !devices.includes(device))
    throw new BenchError(
      'CONFIG_INVALID',
      `encode.precision=${precision} is for the engine 'onnx' ${where}, and this run computes with '${name}' on ${device}.`,
      { hint: `${hint}, or leave encode.precision at float32.` },
    );
  if (device === 'cpu') return plugin;
  const found = await deviceTrial(device, precision);
  if (found.works) return plugin;
  throw new BenchError(
    'UNAVAILABLE',
    `encode.precision=${precision} does not work on ${device} here, which computes in float32: ${found.why}`,
    { hint: `${deviceNeeds ?? `${device} has no such products`}: leave encode.precision at float32.` },
  );
}
