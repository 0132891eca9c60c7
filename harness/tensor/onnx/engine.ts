/** The engine `onnx`: programs are recorded once, written as one ONNX model each and run by ONNX Runtime on all cores, or on a device. */
import type { InferenceSession } from 'onnxruntime-node';
import { BenchError } from '../../errors.js';
import type { DeviceName, Engine } from '../engine.js';
import { mostThreads } from '../engine.js';
import { BusyClock } from './busy-clock.js';
import { onDevice } from './device-place.js';
import { deviceRuntime } from './device-runtime.js';
import { describeGpu } from './gpu-search.js';
import { inMemory } from './host-place.js';
import { loadOrt, ortVersion } from './runtime.js';
import './kernels.js';

/**
 * @param threads for one operation; operations run one after another
 * @param device one that works: see `deviceTrial`
 * @param runtimeOf how a device is called; another one for tests
 * @throws BenchError CONFIG_INVALID for too many threads, UNAVAILABLE
 */
export async function openOnnx(
  threads: number,
  device: DeviceName = 'cpu',
  runtimeOf = deviceRuntime,
): Promise<Engine> {
  if (threads > mostThreads) {
    throw new BenchError(
      'CONFIG_INVALID',
      `threads: ${threads} is more than the ${mostThreads} for which the engine 'onnx' gives the same results.`,
      { hint: `Use --threads ${mostThreads} or fewer.` },
    );
  }
  const clock = new BusyClock();
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // What is refused is an error of ours.
    logSeverityLevel: device === 'cpu' ? 3 : 4,
    // Between two runs the cores belong to others. Threads that go on spinning hold up a search that follows an encoding:
    // on two cores one query in twenty waited a tick of the scheduler, 4 ms beside a median of 0.3.
    extra: { session: { force_spinning_stop: '1' } },
  };
  const place =
    device === 'cpu'
      ? inMemory(await loadOrt(), options, clock)
      : onDevice(await runtimeOf(device), options, clock, device);
  return {
    name: 'onnx',
    device,
    threads,
    get busyMs() {
      return clock.busyMs;
    },
    versions: { 'onnxruntime-node': ortVersion(), ...gpuFacts(device) },
    ...place,
  };
}

/** The GPU stands with the libraries: it decides figures as much as they do. */
function gpuFacts(device: DeviceName): { gpu?: string } {
  const gpu = device === 'cpu' ? undefined : describeGpu(device);
  return gpu === undefined ? {} : { gpu };
}
