/** What a process keeps open from one task to the next of the same run: its dataset, engine, graph, model and compiled programs. */

import { type OpenRun, openRun } from '../pipeline/open-run.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { inOrder, inputKey, type Stage } from '../stages/graph.js';
import { canonicalJson, keyOf } from '../store/hash.js';

interface Kept {
  /** The request, whole. */
  key: string;
  run: OpenRun;
  /** By key of what they leave, those that one task can make a piece of. */
  stages: ReadonlyMap<string, Stage>;
}

export class KeptRun {
  #kept: Kept | undefined;
  /** By run and artifact: stages that were looked for in vain, so that no run is opened for each of their pieces. */
  readonly #absent = new Set<string>();
  #hasOpened = false;

  /** Whether a run was ever opened. */
  get hasOpened(): boolean {
    return this.#hasOpened;
  }

  /**
   * The stage that leaves an artifact, of a run that is open already or is opened now, and another closed. One whose dataset has
   * been edited since is opened anew.
   * @returns undefined where its graph has no such stage: what lies behind a choice is not known before that is made. Nothing is
   *   kept then: whoever makes it another way needs the memory
   * @throws BenchError as the run would
   */
  async stage(
    request: RunRequest,
    artifact: string,
    progress: Progress,
  ): Promise<{ run: OpenRun; stage: Stage } | undefined> {
    const key = canonicalJson(request);
    const name = keyOf({ artifact, key });
    if (this.#absent.has(name) || !(await this.#isOpen(key))) await this.close();
    if (this.#absent.has(name)) return undefined;
    this.#hasOpened = true;
    this.#kept ??= await opened(key, request, progress);
    const { run, stages } = this.#kept;
    const stage = stages.get(artifact);
    if (stage !== undefined) return { run, stage };
    this.#absent.add(name);
    await this.close();
    return undefined;
  }

  async #isOpen(key: string): Promise<boolean> {
    return this.#kept?.key === key && (await this.#kept.run.store.hashes.areStill());
  }

  /** Nothing is kept any more. */
  async close(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    await kept?.run.close();
  }
}

async function opened(key: string, request: RunRequest, progress: Progress): Promise<Kept> {
  const run = await openRun(request, progress, true);
  const cut = inOrder(run.stages).filter(({ pieces }) => pieces !== undefined);
  return { key, run, stages: new Map(cut.map((stage) => [inputKey(stage), stage])) };
}
