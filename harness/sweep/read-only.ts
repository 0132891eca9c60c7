/** A run whose cache may only be read: it is made of what lies there, or not begun. */
import { BenchError } from '../errors.js';
import { openRun } from '../pipeline/open-run.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { inputKey, isChosen, type Need } from '../stages/graph.js';
import { isFinished } from '../store/manifest.js';
import type { ArtifactKind, Store } from '../store/store.js';
import { titleOf } from './cell-lines.js';

/**
 * Whether what a run is made of is there. What lies behind a choice that is made by training is not looked for.
 * @throws BenchError NOT_WRITABLE that names the stages that would have to be made
 */
export async function assertMade(request: RunRequest, progress: Progress): Promise<void> {
  const { cache } = request.config;
  const refused = (what: string) =>
    new BenchError('NOT_WRITABLE', `The cache ${cache} may only be read, and ${what}.`, {
      hint: 'Name another one with --cache, or give the same command first where this one can be written to.',
    });
  if (request.anew?.what === 'everything') throw refused('everything is to be made anew');
  const { stages, store, close } = await openRun(request, { ...progress, note: () => undefined });
  await close();
  const lacking = await lackingIn(store, stages);
  if (lacking.length > 0) throw refused(`lacks what ${titleOf(request)} is made of: ${lacking.join(', ')}`);
}

/** Whoever has these has no need of what they were made from. */
const whole: readonly ArtifactKind[] = ['checkpoints', 'shards'];

/** Names of stages that would have to be made, what is needed first. */
async function lackingIn(store: Store, stages: readonly Need[]): Promise<string[]> {
  const lacking = new Set<string>();
  const seen = new Set<Need>();
  const visit = async (need: Need | undefined): Promise<void> => {
    if (need === undefined || seen.has(need)) return;
    seen.add(need);
    if ('among' in need) {
      for (const each of need.chosen === undefined ? need.among : [need.chosen]) await visit(each);
      return;
    }
    if (!('make' in need)) return;
    const isKnown = isChosen(need);
    const isThere = isKnown && (await isFinished(store.folderOf(need.kind, inputKey(need))));
    if (isThere && whole.includes(need.kind)) return;
    for (const each of Object.values(need.needs)) await visit(each);
    if (isKnown && !isThere) lacking.add(need.name);
  };
  for (const stage of stages) await visit(stage);
  return [...lacking];
}
