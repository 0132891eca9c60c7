/** FAISS on a GPU, through an addon of ours over the system's FAISS (scripts/faiss-device.cc). The only import of that. */
import { createRequire } from 'node:module';
import { BenchError } from '../../errors.js';
import { loadPackage } from '../../program/optional-package.js';
import type { DeviceName } from '../../tensor/engine.js';

/** What is in the addon. Whatever FAISS throws is an Error here. */
export interface DeviceFaiss {
  /** Of FAISS. */
  version: string;
  /** Whether this FAISS was built with CUDA. */
  withGpu: boolean;
  /** How many GPUs it sees. */
  devices(): number;
  /** Reads any index of FAISS, into this process's memory. */
  Index: new (
    file: string,
  ) => DeviceIndex;
}

export interface DeviceIndex {
  readonly rows: number;
  readonly dimensions: number;
  /** Moves it to a GPU. @param temporaryBytes what searches there work in, of all indexes: the first one's holds */
  toDevice(device: number, temporaryBytes: number): void;
  /** @param queries [n, D] @returns both [n, k]; row -1 where there are fewer */
  search(queries: Float32Array, k: number): { scores: Float32Array; rows: Float64Array };
  dispose(): void;
}

/** Of the FAISS that the addon was built from; undefined where there is none. */
export function deviceFaissVersion(): string | undefined {
  try {
    return (require('strata-faiss/package.json') as { version: string }).version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The most rows of a query that FAISS finds on a GPU. */
export const mostDeviceRows = 2048;

/** Of a GPU, what FAISS may work in while it searches, at most. */
export const mostTemporaryBytes = 256 * 2 ** 20;

const notHere = 'FAISS does not search on a GPU here';
const elsewhere =
  '--searcher exact searches on the GPU without FAISS; with --device cpu FAISS searches on the processor.';

/** Native code as it is, which `import` does not take. */
const require = createRequire(import.meta.url);

/**
 * @param name the package, or a folder with one
 * @throws BenchError UNAVAILABLE with the reason and what adds it
 */
export const loadDeviceFaiss = (name = 'strata-faiss'): Promise<DeviceFaiss> =>
  loadPackage(() => require(name) as DeviceFaiss, {
    missing: `${notHere}: the addon for it is not built, which is made from a FAISS that was built with CUDA.`,
    broken: `${notHere}: its addon does not load`,
    hint: `npm run build:faiss builds it where such a FAISS is found (docs/gpu.md). ${elsewhere}`,
  });

/**
 * @param device that the run computes on
 * @param load for tests
 * @throws BenchError UNAVAILABLE where FAISS cannot search there
 */
export async function assertDeviceSearch(
  device: DeviceName,
  load: () => Promise<DeviceFaiss> = loadDeviceFaiss,
): Promise<void> {
  if (device !== 'cuda') return;
  const { version, withGpu, devices } = await load();
  if (!withGpu)
    throw new BenchError(
      'UNAVAILABLE',
      `${notHere}: FAISS ${version}, which its addon was built from, was built without CUDA.`,
      {
        hint: `Debian's is. Install one with CUDA, name its folders with CXXFLAGS=-I... and LDFLAGS=-L..., and run npm run build:faiss again (docs/gpu.md). ${elsewhere}`,
      },
    );
  let found: number;
  try {
    found = devices();
  } catch (cause) {
    throw noDevice(`CUDA says: ${(cause as Error).message}`, cause);
  }
  if (found === 0) throw noDevice(`FAISS ${version} sees no GPU.`);
}

const noDevice = (reason: string, cause?: unknown): BenchError =>
  new BenchError('UNAVAILABLE', `${notHere}: ${reason}`, {
    hint: `bench doctor says what else there is. ${elsewhere}`,
    cause,
  });

/** Which FAISS there is for a GPU, in words: for `bench doctor`. */
export async function describeDeviceFaiss(
  load: () => Promise<DeviceFaiss> = loadDeviceFaiss,
): Promise<string> {
  try {
    const { version, withGpu, devices } = await load();
    if (!withGpu) return `on a GPU: no, FAISS ${version} was built without CUDA`;
    return `on a GPU: FAISS ${version} with CUDA, which sees ${devices()}`;
  } catch (error) {
    const { message } = error as Error;
    return message.startsWith(notHere)
      ? message.replace(`${notHere}:`, 'on a GPU: no,')
      : `on a GPU: no, ${message}`;
  }
}
