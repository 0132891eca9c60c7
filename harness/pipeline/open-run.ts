/** A run opened as far as its stages need, before anything of it is made: dataset, engine, graph. */
import { closingOnFailure } from '../closing.js';
import type { Progress } from '../progress.js';
import type { Need, Stage, StageMaking } from '../stages/graph.js';
import { HeldOpen } from '../stages/held-open.js';
import { knownOf } from '../stages/known.js';
import { Workbench } from '../stages/workbench.js';
import { Store } from '../store/store.js';
import { loadSystem } from '../systems.js';
import { indexBuilder } from './index-builder.js';
import { engineOf, prepare, type Session } from './prepare.js';
import { assertRequirements } from './requirements.js';
import type { RunRequest } from './run-request.js';
import { StageLog } from './stage-log.js';

export interface OpenRun {
  readonly store: Store;
  readonly dataset: Session['dataset'];
  /** What its hits and its study are made of; what these need hangs on them. */
  readonly stages: readonly Need[];
  /** The one of them that leaves its hits. */
  readonly run: Stage;
  /** A place to make them; what one of a run has opened is open for the next. @param making as `StageLog` has it */
  place(progress: Progress, making?: StageMaking): Workbench;
  close(): Promise<void>;
}

/**
 * Brings the dataset and the models where they are not here, and makes nothing.
 * @param stays as `HeldOpen` has it
 * @throws BenchError as the run would
 */
export async function openRun(request: RunRequest, progress: Progress, stays = false): Promise<OpenRun> {
  const { engine: needed } = await assertRequirements(request);
  const store = new Store(request.config.cache, { told: progress });
  const prepared = await prepare(request, progress, store);
  const engine = needed && (await engineOf(prepared.config, progress));
  const held = new HeldOpen(engine, stays);
  const place = (told: Progress, making?: StageMaking) =>
    new Workbench(prepared, told, new StageLog(store, undefined, making), engine, { held });
  const close = async () => {
    await held.close();
    await engine?.dispose();
  };
  return closingOnFailure({ close }, async () => {
    const known = await knownOf(place(progress), needed && (await indexBuilder(request.config)));
    const { all, run } = await (await (await loadSystem(request.architecture)).steps()).stages(
      request,
      known,
    );
    return { store, dataset: prepared.dataset, stages: all, run, place, close };
  });
}
