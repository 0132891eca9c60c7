/**
 * Builds an index in a process of its own: what a native library throws while it trains or adds can end the process it
 * happens in, and both take long and cannot be interrupted.
 */
import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { BenchError, type ErrorCode, fileError } from '../errors.js';
import { discard, putInPlace, temporaryName } from '../store/atomic.js';
import type { BuildRequest, BuiltFacts } from './searcher.js';

/** What the process is told. */
export type BuildOrder = Pick<BuildRequest, 'folder' | 'kind' | 'trainingVectors' | 'seed' | 'target'>;

/** What it says. */
export type BuildMessage =
  | { state: 'training'; vectors: number }
  | { state: 'adding'; rows: number }
  | ({ state: 'built' } & Pick<BuiltFacts, 'trainedOn' | 'own'>)
  /** For a reason of the library's. */
  | { state: 'refused'; message: string }
  /** For one of ours. */
  | { state: 'failed'; code: ErrorCode; message: string; hint?: string | undefined };

export interface BuildProcess {
  /** What is run: it calls `buildAsOrdered`. */
  module: URL;
  /** Beside this process's own. */
  environment?: NodeJS.ProcessEnv;
  /** An error of the library as the user is to read it. */
  refused(kind: string, message: string): BenchError;
}

/**
 * Builds the index and puts it in place, whole.
 * @returns its facts, and what the process wrote on its outputs, the end of it
 * @throws BenchError CONFIG_INVALID with the library's own reason, INTERRUPTED
 */
export async function buildInProcess(
  { folder, kind, trainingVectors, seed, target, vectors, progress }: BuildRequest,
  { module, environment = {}, refused }: BuildProcess,
): Promise<Pick<BuiltFacts, 'trainedOn' | 'sizeBytes' | 'own'> & { said: string }> {
  const temporary = temporaryName(target);
  const stage = progress.stage(`index ${kind}`, vectors, 'vectors');
  const order: BuildOrder = { folder, kind, trainingVectors, seed, target: temporary };
  const child = fork(module, [JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
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
    if (last?.state !== 'built') throw fault(kind, last, said, signal, refused);
    await putInPlace(temporary, target);
  } catch (error) {
    await discard(temporary);
    throw fileError(error, target);
  }
  stage.end();
  const { trainedOn, own } = last;
  return { trainedOn, sizeBytes: (await stat(target)).size, ...(own && { own }), said };
}

function fault(
  kind: string,
  last: BuildMessage | undefined,
  said: string,
  signal: string | null,
  refused: BuildProcess['refused'],
): Error {
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
