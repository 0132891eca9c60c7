/** Which engine multiplies with weights in which precision. */
import { BenchError } from '../errors.js';
import type { Engine } from './engine.js';
import { deviceTrial } from './onnx/device-trial.js';
import { loadPrecision, type PrecisionPlugin } from './onnx/precision.js';

/**
 * @param setting that asks for it
 * @returns undefined for float32
 * @throws BenchError CONFIG_INVALID where the engine does not compute so, with what does; UNAVAILABLE where this machine's
 *   device lacks it; UNKNOWN_NAME
 */
export async function assertPrecision(
  { name, device }: Pick<Engine, 'name' | 'device'>,
  precision: string,
  setting: 'encode.precision' | 'train.precision' = 'encode.precision',
): Promise<PrecisionPlugin | undefined> {
  const plugin = await loadPrecision(precision);
  if (plugin === undefined) return undefined;
  const { devices, where, hint, deviceNeeds } = plugin;
  if (setting === 'train.precision' && plugin.training === undefined)
    throw new BenchError('CONFIG_INVALID', `train.precision=${precision}: nothing can be trained in it.`, {
      hint: `Leave train.precision at float32; encode.precision=${precision} encodes with what was trained.`,
    });
  if (name !== 'onnx' || !devices.includes(device))
    throw new BenchError(
      'CONFIG_INVALID',
      `${setting}=${precision} is for the engine 'onnx' ${where}, and this run computes with '${name}' on ${device}.`,
      { hint: `${hint}, or leave ${setting} at float32.` },
    );
  if (device === 'cpu') return plugin;
  const found = await deviceTrial(device, precision);
  if (found.works) return plugin;
  throw new BenchError(
    'UNAVAILABLE',
    `${setting}=${precision} does not work on ${device} here, which computes in float32: ${found.why}`,
    { hint: `${deviceNeeds ?? `${device} has no such products`}: leave ${setting} at float32.` },
  );
}
