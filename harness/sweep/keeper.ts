/**
 * Removes what a sweep made and no longer needs, as `keep` says; so the disk holds the runs of
 * one seed at a time, and where systems do not take turns those of one system.
 */

import { decidingSettings } from '../pipeline/record-stage.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { inOrder, inputKey, knownAs, type Need } from '../stages/graph.js';
import { namesOf } from '../stages/known.js';
import { keyOf } from '../store/hash.js';
import { bytesOnDisk } from '../store/inventory.js';
import { type ArtifactKind, artifactKinds } from '../store/manifest.js';
import { Store } from '../store/store.js';
import { loadSystem } from '../systems.js';

/** The vocabulary of `models` and `findings` about files are small, and shared by everything made later. */
const lasting: readonly ArtifactKind[] = ['models', 'findings'];
const temporaryKinds = artifactKinds.filter((kind) => !lasting.includes(kind));

/** A cell that is recorded, or a training that is done: what searching with it again needs may stay. */
interface Finished {
  request: RunRequest;
  /** The artifacts that it was made of; none where they are not known. */
  stages: readonly Need[];
  searchable: readonly Need[];
}

interface Work {
  request: RunRequest;
  store: Store;
  /** Absent until it is recorded. */
  cell?: Finished;
  /** Whether what killed attempts left is known. */
  holdsLeft?: true;
}

export class Keeper {
  readonly #works: Work[] = [];
  /** Most bytes that what is to be removed took at one time, and bytes removed so far. */
  peakBytes = 0;
  removedBytes = 0;

  constructor(readonly progress: Progress) {}

  /** The store that a request is worked on in. */
  storeOf(request: RunRequest): Store {
    const { cache, keep } = request.config;
    const { architecture, dataset, data, distractors, seed, init, negatives } = request;
    const deciding = decidingSettings(request.config);
    const owner = keyOf({ architecture, dataset, data, distractors, seed, init, negatives, deciding });
    const store = new Store(cache, {
      temporary: keep === 'all' ? [] : temporaryKinds,
      owner,
      anew: request.anew,
      told: this.progress,
    });
    this.#works.push({ request, store });
    return store;
  }

  /** The artifacts that the cell was made of may go from now on. */
  recorded(cell: Finished): void {
    for (const work of this.#works) if (work.request === cell.request) work.cell = cell;
  }

  /** Removes what the requests still to come do not need. What a failed run had finished stays for the next attempt. */
  async tidy(later: readonly RunRequest[]): Promise<void> {
    for (const work of this.#works) {
      if (work.cell === undefined || work.holdsLeft) continue;
      await work.store.leases.holdLeft();
      work.holdsLeft = true;
    }
    const folders = new Set(this.#works.flatMap(({ store }) => store.leases.folders));
    let bytes = 0;
    for (const folder of folders) bytes += await bytesOnDisk(folder);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    const needed = new Set<string>();
    for (const request of later)
      for (const stage of inOrder(await asked(request))) needed.add(nameOf(request, inputKey(stage)));
    for (const { request, store, cell } of this.#works) {
      const own = await asked(request);
      const isNeeded = (key: string) => needed.has(nameOf(request, key));
      const names = knownAs(cell?.stages ?? [], own);
      // A killed attempt leaves an artifact of some stage of its kind.
      const kinds = new Set(inOrder(own).flatMap((stage) => (isNeeded(inputKey(stage)) ? [stage.kind] : [])));
      const kept = request.config.keep === 'indexes' ? (cell?.searchable ?? []).map(inputKey) : [];
      this.removedBytes += await store.leases.release((kind, key) => {
        if (cell === undefined) return 'left';
        if (kept.includes(key)) return 'kept';
        const name = names.get(key);
        return (name === undefined ? kinds.has(kind) : isNeeded(name)) ? 'held' : 'removed';
      });
    }
  }

  /** Lets go of everything and removes nothing. */
  async leave(): Promise<void> {
    for (const { store } of this.#works) await store.leases.release(() => 'left');
  }
}

/** The stages of a request by names alone. */
async function asked(request: RunRequest): Promise<readonly Need[]> {
  const { stages } = await (await loadSystem(request.architecture)).steps();
  return (await stages(request, namesOf(request))).all;
}

/** Each cache has artifacts of its own. */
const nameOf = ({ config }: RunRequest, key: string): string => `${config.cache} ${key}`;
