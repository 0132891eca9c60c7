/** What latencies were measured on, and whether two of them may be compared. */
import type { RunRecord } from '../record.js';

/** What decides how fast the same work is done, by name. Versions of libraries are not in it: they are what may be at fault. */
function traits({ device, latency }: RunRecord): Record<string, string | number | null> {
  const { machine } = device;
  return {
    engine: device.engine,
    device: device.device,
    searcher: device.searcher,
    threads: device.threads,
    CPU: machine.cpu,
    cores: machine.cores,
    'cores in use': machine.availableCores,
    'vectors in memory': latency?.resident === undefined ? null : latency.resident ? 'yes' : 'no',
  };
}

/** What differs between two devices, in words; empty where their latencies may be compared. */
export function deviceDifferences(a: RunRecord, b: RunRecord): string[] {
  const theirs = traits(b);
  return Object.entries(traits(a))
    .filter(([name, value]) => value !== theirs[name])
    .map(([name, value]) => `${name} ${value ?? 'unknown'} and ${theirs[name] ?? 'unknown'}`);
}

/** `onnx on cpu, faiss, 2 threads; Intel Xeon, 2 of 2 cores` */
export function describeDevice({ device }: RunRecord): string {
  const { engine, searcher, threads, machine } = device;
  const ran =
    engine === null && searcher === null
      ? 'made by another program'
      : `${engine ?? 'no engine'} on ${device.device ?? 'unknown'}, ${searcher ?? 'no searcher'}, ${threads === null ? 'threads unknown' : `${threads} threads`}`;
  return `${ran}; ${machine.cpu}, ${machine.availableCores} of ${machine.cores} cores`;
}
