/**
 * Builds an index in a process of its own: what a native library throws while it trains or adds can end the process it
 * happens in, and both take long and cannot be interrupted.
 */
import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { BenchError, fileError, type SentError } from '../errors.js';
import { endOf, type ProcessEnd } from '../program/own-process.js';
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
  | ({ state: 'failed' } & SentError);

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
  const end = await endOf<BuildMessage>(child, {
    signal: progress.signal,
    onMessage(message) {
      if (message.state === 'training') stage.update(0, `training on ${message.vectors}`);
      if (message.state === 'adding') stage.update(message.rows);
    },
  });
  const { last, said } = end;
  try {
    progress.checkInterrupted();
    if (last?.state !== 'built') throw fault(kind, end, refused);
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
  { last, said, ended, words }: ProcessEnd<BuildMessage>,
  refused: BuildProcess['refused'],
): Error {
  if (last?.state === 'refused') return refused(kind, last.message);
  if (last?.state === 'failed') return BenchError.received(last);
  const thrown = /what\(\):\s*(.*)/.exec(said)?.[1];
  if (thrown !== undefined) return refused(kind, thrown);
  return new BenchError(
    'UNAVAILABLE',
    `Building the index '${kind}' ended before it was done (${ended}, ${words}).`,
    {
      hint: 'Where the machine ran out of memory, fewer index.trainingVectors or a smaller kind may do.',
    },
  );
}
