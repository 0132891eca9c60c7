/** Indexes of FAISS by factory string, `HNSW32` or `IVF64,Flat`: building one from an index of shards. */
import { BenchError } from '../../errors.js';
import { buildInProcess } from '../../search/build-process.js';
import type { BuildRequest, BuiltFacts } from '../../search/searcher.js';
import { faissReason, loadFaiss } from './flat.js';
import { findSearchParameter } from './parameter-file.js';

/** Kinds whose links depend on which thread came first: only one thread makes the same bytes twice. */
const threadsDecide = /HNSW|NSG|NNDescent/i;

/**
 * Whether FAISS understands a factory string, as far as that can be said without D.
 * @throws BenchError UNAVAILABLE, CONFIG_INVALID
 */
export async function assertKind(kind: string): Promise<void> {
  const { Index } = await loadFaiss();
  try {
    Index.fromFactory(7680, kind, 0);
  } catch (cause) {
    const { message } = cause as Error;
    // Whether a quantizer's parts divide D is asked again when D is known.
    if (/could not parse|METRIC_L2|not supported/i.test(message)) throw refused(kind, message, cause);
  }
}

function refused(kind: string, message: string, cause?: unknown): BenchError {
  const reason = faissReason({ message });
  return new BenchError('CONFIG_INVALID', `FAISS cannot build an index '${kind}': ${reason}`, {
    hint: 'index.kind is a factory string of FAISS: Flat, HNSW32, IVF64,Flat, SQ8, IVF64,PQ16, PCA64,Flat; its parts and the number of passages must suit the vectors.',
    cause,
  });
}

/** @param threads as many as there are cores where absent */
export const environmentOf = (threads: number | undefined): NodeJS.ProcessEnv => ({
  // Threads that wait for each other without sleeping take many times as long where the cores are shared.
  OMP_WAIT_POLICY: 'PASSIVE',
  ...process.env,
  ...(threads !== undefined && { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) }),
});

/** Builds the index and puts it in place, whole. @throws BenchError CONFIG_INVALID with FAISS's own reason, INTERRUPTED */
export async function buildIndex(request: BuildRequest): Promise<BuiltFacts> {
  const threads = threadsDecide.test(request.kind) ? 1 : request.threads;
  const { said, ...facts } = await buildInProcess(request, {
    module: new URL('./build-process.js', import.meta.url),
    environment: environmentOf(threads),
    refused,
  });
  return {
    ...facts,
    parameter: await parameterOf(request.target),
    warnings: [...new Set([...said.matchAll(/^WARNING (.*)$/gm)].map(([, text]) => `FAISS: ${text}`))],
  };
}

async function parameterOf(file: string): Promise<BuiltFacts['parameter']> {
  const found = await findSearchParameter(file);
  if (found === undefined) return null;
  const { name, value, largest } = found;
  return { name, value, ...(largest !== undefined && { largest }) };
}
