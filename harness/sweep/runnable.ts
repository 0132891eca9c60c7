/** Whether every run of a sweep can begin: what is wrong with one of them is known before the first hour of another. */
import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import { BenchError, exitCodes } from '../errors.js';
import { machineNeeds, type PartNeeds } from '../pipeline/memory-needs.js';
import { passagesHere } from '../pipeline/needs.js';
import { prepare } from '../pipeline/prepare.js';
import { assertRequirements, isLocal } from '../pipeline/requirements.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { collectionKey } from '../stages/known.js';
import { assertCacheTakes, assertFolderTakes } from '../store/writable.js';
import { titleOf } from './cell-lines.js';
import { assertMade } from './read-only.js';

/**
 * Opens every dataset that is on this machine, and writes nothing but what is remembered of its files.
 * @param where here; elsewhere where other machines make the runs, and what this one lacks they may have
 * @throws BenchError the one that the runs would begin with; where there are several, all of them with the runs they are of
 */
export async function assertRunnable(
  requests: readonly RunRequest[],
  progress: Progress,
  where: 'here' | 'elsewhere' = 'here',
): Promise<void> {
  const refused = await refusedOf(requests, progress, where);
  if (refused.length > 0) throw together(refused, requests.length);
}

/** The runs that cannot begin, each with its reason. @param where as `assertRunnable` has it */
export async function refusedOf(
  requests: readonly RunRequest[],
  progress: Progress,
  where: 'here' | 'elsewhere' = 'here',
): Promise<{ request: RunRequest; error: BenchError }[]> {
  const opened = new Map<string, Promise<void>>();
  const tried: Tried = new Map();
  const refused: { request: RunRequest; error: BenchError }[] = [];
  for (const request of requests) {
    progress.checkInterrupted();
    try {
      await assertRequirements(request);
      // Looking through a dataset may take minutes.
      if (where === 'here') await assertFolders(request.config, tried);
      const key = collectionKey(request);
      if (!opened.has(key)) opened.set(key, open(request, progress));
      await opened.get(key);
      if (where === 'here' && (await tried.get(request.config.cache)) === 'nothing')
        await assertMade(request, progress);
    } catch (error) {
      if (!(error instanceof BenchError) || error.code === 'INTERRUPTED') throw error;
      if (where === 'elsewhere' && error.exitCode === exitCodes.UNAVAILABLE) continue;
      refused.push({ request, error });
    }
  }
  return refused;
}

/** By folder. */
type Tried = Map<string, Promise<'all' | 'nothing' | undefined>>;

async function assertFolders({ cache, out }: BenchConfig, tried: Tried): Promise<void> {
  if (!tried.has(cache)) tried.set(cache, assertCacheTakes(cache));
  if (!tried.has(out))
    tried.set(
      out,
      assertFolderTakes(out).then(() => undefined),
    );
  await Promise.all([tried.get(cache), tried.get(out)]);
}

async function open(request: RunRequest, progress: Progress): Promise<void> {
  if (await isLocal(request)) await prepare(request, progress);
}

/** A fault that many runs share is said once. */
function together(refused: readonly { request: RunRequest; error: BenchError }[], asked: number): BenchError {
  const byMessage = new Map<string, { error: BenchError; titles: string[] }>();
  for (const { request, error } of refused) {
    const known = byMessage.get(error.message);
    if (known === undefined) byMessage.set(error.message, { error, titles: [titleOf(request)] });
    else known.titles.push(titleOf(request));
  }
  const reasons = [...byMessage.values()];
  if (reasons.length === 1 && refused.length === asked) return reasons[0]!.error;
  const worst = reasons.map(({ error }) => error).sort((a, b) => b.exitCode - a.exitCode)[0]!;
  const lines = reasons.map(({ error, titles }) => {
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    return `\n  ${shortList(titles)}: ${error.message}${hint}`;
  });
  return new BenchError(
    worst.code,
    `${refused.length} of ${counted(asked, 'runs')} cannot begin, so none was begun:${lines.join('')}`,
    { hint: 'Leave them out, or mend what they lack.' },
  );
}

function shortList(titles: readonly string[]): string {
  const shown = titles.slice(0, 3).join('; ');
  return titles.length > 3 ? `${shown} and ${titles.length - 3} more` : shown;
}

/** Of each run; collections that are not here yet count for nothing. @throws BenchError as the run would */
export async function needsOf(requests: readonly RunRequest[]): Promise<PartNeeds[]> {
  const passages = new Map<string, Promise<number | null>>();
  const found: PartNeeds[] = [];
  for (const request of requests) {
    const key = collectionKey(request);
    if (!passages.has(key)) passages.set(key, passagesHere(request));
    found.push(machineNeeds(request, await assertRequirements(request), await passages.get(key)!));
  }
  return found;
}
