/** Which engine multiplies with weights in which precision. */
import { BenchError } from '../errors.js';
import type { Engine, Precision } from './engine.js';

/** @throws BenchError CONFIG_INVALID where the engine does not compute so, with what does */
export function assertPrecision(
  { name, device }: Pick<Engine, 'name' | 'device'>,
  precision: Precision,
): void {
  if (precision === 'float32') return;
  if (name === 'onnx' && device === 'cpu') return;
  throw new BenchError(
    'CONFIG_INVALID',
    `encode.precision=${precision} is for the engine 'onnx' on the CPU, and this run computes with '${name}' on ${device}.`,
    { hint: `Give --engine onnx --device cpu, or leave encode.precision at float32.` },
  );
}
