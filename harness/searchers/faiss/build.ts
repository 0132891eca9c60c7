/** Indexes of FAISS by factory string, `HNSW32` or `IVF64,Flat`: building one from an index of shards. */
import { fork } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { BenchError, fileError } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { putInPlace, temporaryName } from '../../store/atomic.js';
import type { BuildMessage, BuildOrder } from './build-process.js';
import { loadFaiss } from './flat.js';
import { findSearchParameter, type SearchParameter } from './parameter-file.js';

export interface BuildRequest extends BuildOrder {
  /** Rows to add. */
  vectors: number;
  /** Threads to build with; all cores where absent. */
  threads?: number;
  progress: Progress;
}

export interface BuiltFacts {
  /** Vectors it was trained on; 0 where it needs no training. */
  trainedOn: number;
  sizeBytes: number;
  /** What a search can be told to look at, and FAISS's own value; null where it has nothing of the kind. */
  parameter: Pick<SearchParameter, 'name' | 'value' | 'largest'> | null;
  /** What FAISS said while it built. */
  warnings: string[];
}

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
  const reason = message.replace(/^Error in .*? at \S+:\d+: (Error: )?/, '');
  return new BenchError('CONFIG_INVALID', `FAISS cannot build an index '${kind}': ${reason}`, {
    hint: 'index.kind is a factory string of FAISS: Flat, HNSW32, IVF64,Flat, SQ8, IVF64,PQ16, PCA64,Flat; its parts and the number of passages must suit the vectors.',
    cause,
  });
}

/**
 * Builds the index in a process of its own and puts it in place, whole.
 * @throws BenchError CONFIG_INVALID with FAISS's own reason, INTERRUPTED
 */
export async function buildIndex(request: BuildRequest): Promise<BuiltFacts> {
  const { folder, kind, trainingVectors, seed, target, vectors, progress } = request;
  const temporary = temporaryName(target);
  const threads = threadsDecide.test(kind) ? 1 : request.threads;
  const stage = progress.stage(`index ${kind}`, vectors, 'vectors');
  const order: BuildOrder = { folder, kind, trainingVectors, seed, target: temporary };
  const child = fork(new URL('./build-process.js', import.meta.url), [JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      // Threads that wait for each other without sleeping take many times as long where the cores are shared.
      OMP_WAIT_POLICY: 'PASSIVE',
      ...process.env,
      ...(threads !== undefined && {
        OMP_NUM_THREADS: String(threads),
        OPENBLAS_NUM_THREADS: String(threads),
      }),
    },
  });
  const stop = () => child.kill('SIGKILL');
  progress.signal.addEventListener('abort', stop, { once: true });
  if (progress.signal.aborted) stop();
  let said = '';
  let last: BuildMessage | undefined;
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
    });
  }
  child.on('message', (message) => {
    last = message as BuildMessage;
    if (last.state === 'training') stage.update(0, `training on ${last.vectors}`);
    if (last.state === 'adding') stage.update(last.rows);
  });
  const signal = await new Promise<string | null>((resolve, reject) => {
    child.once('error', reject).once('close', (_code, by) => resolve(by));
  });
  progress.signal.removeEventListener('abort', stop);
  try {
    progress.checkInterrupted();
    if (last?.state !== 'built') throw fault(kind, last, said, signal);
    await putInPlace(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, target);
  }
  stage.end();
  return {
    trainedOn: last.trainedOn,
    sizeBytes: (await stat(target)).size,
    parameter: await parameterOf(target),
    warnings: [...new Set([...said.matchAll(/^WARNING (.*)$/gm)].map(([, text]) => `FAISS: ${text}`))],
  };
}

function fault(kind: string, last: BuildMessage | undefined, said: string, signal: string | null): Error {
  if (last?.state === 'refused') return refused(kind, last.message);
  if (last?.state === 'failed') {
    const { code, message, hint } = last;
    return new BenchError(code, message, hint === undefined ? {} : { hint });
  }
  const thrown = /what\(\):\s*(.*)/.exec(said)?.[1];
  if (thrown !== undefined) return refused(kind, thrown);
  const end = said.trim().split('\n').slice(-1)[0] ?? '';
  return new BenchError(
    'UNAVAILABLE',
    `Building the index '${kind}' ended ${signal === null ? 'early' : `with ${signal}`}${end === '' ? '' : `: ${end}`}.`,
    {
      hint: 'Where the machine ran out of memory, fewer index.trainingVectors or a smaller kind may do.',
    },
  );
}

async function parameterOf(file: string): Promise<BuiltFacts['parameter']> {
  const found = await findSearchParameter(file);
  if (found === undefined) return null;
  const { name, value, largest } = found;
  return { name, value, ...(largest !== undefined && { largest }) };
}
