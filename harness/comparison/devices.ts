/** What latencies were measured on, and whether two of them may be compared. */
import { counted } from '../counted.js';
import type { RunRecord } from '../record.js';

type Traits = Record<string, string | number | null>;

/** What decides how fast the same work is done, by name. Versions of libraries are not in it: they are what may be at fault. */
function machineTraits({ device }: RunRecord): Traits {
  const { machine } = device;
  return {
    device: device.device,
    "queries' vectors": device.queryVectors ?? 'computed here',
    hits: device.hits ?? 'found here',
    CPU: machine.cpu,
    cores: machine.cores,
    'cores in use': machine.availableCores,
  };
}

function programTraits({ device, latency }: RunRecord): Traits {
  return {
    engine: device.engine,
    searcher: device.searcher,
    threads: device.threads,
    'vectors in memory': latency?.resident === undefined ? null : latency.resident ? 'yes' : 'no',
  };
}

/** Held to fewer of them is a system that is put together of others: where it searches is what it costs. */
const ofSearch = ['searcher', 'vectors in memory'];

/**
 * What differs between two devices, in words; empty where their latencies may be compared. A system that needs no engine
 * (BM25) searches and takes threads in a way of its own, which is what it costs: beside one that has an engine it is held
 * to the same machine alone. One whose index has no vectors (a learned sparse model) encodes as others do and searches in a way
 * of its own.
 */
export function deviceDifferences(a: RunRecord, b: RunRecord): string[] {
  const alike = (a.device.engine === null) === (b.device.engine === null);
  const traits = (record: RunRecord) => ({
    ...(alike && programTraits(record)),
    ...machineTraits(record),
  });
  const theirs: Traits = traits(b);
  const together = a.components !== undefined || b.components !== undefined;
  const apart = together || searchesVectors(a) !== searchesVectors(b);
  return Object.entries(traits(a) as Traits)
    .filter(([name, value]) => value !== theirs[name] && !(apart && ofSearch.includes(name)))
    .map(([name, value]) => `${name} ${value ?? 'unknown'} and ${theirs[name] ?? 'unknown'}`);
}

const searchesVectors = ({ index }: RunRecord): boolean => index === undefined || index.dimensions > 0;

/** Whether latencies of all of them may stand in one order. */
export function onOneDevice(records: readonly RunRecord[]): boolean {
  // Held to each other, not to the first alone: through one without an engine two engines would pass for one.
  return records.every((a, i) => records.slice(i + 1).every((b) => deviceDifferences(a, b).length === 0));
}

const vectorsFrom = { given: 'given', network: 'over the network' } as const;

/** `onnx on cpu, faiss, 2 threads; Intel Xeon, 2 of 2 cores` */
export function describeDevice({ device }: RunRecord): string {
  const { engine, searcher, threads, machine, precision } = device;
  const threaded = threads === null ? 'threads unknown' : counted(threads, 'threads');
  const ran =
    engine === null && searcher === null
      ? 'made by another program'
      : `${engine ?? 'no engine'} on ${device.device ?? 'unknown'}${precision === undefined ? '' : ` in ${precision}`}, ${searcher ?? 'no searcher'}, ${threaded}`;
  const vectors =
    device.queryVectors === undefined ? '' : `, queries' vectors ${vectorsFrom[device.queryVectors]}`;
  const hits = device.hits === undefined ? '' : ', hits given';
  return `${ran}${vectors}${hits}; ${machine.cpu}, ${machine.availableCores} of ${counted(machine.cores, 'cores')}`;
}
