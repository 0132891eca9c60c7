/**
 * Removes what a sweep made and no longer needs, as `keep` says; so the disk holds the runs of
 * one seed at a time, and where systems do not take turns those of one system.
 */

import { decidingSettings } from '../pipeline/record-stage.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { bytesOnDisk } from '../store/disk-bytes.js';
import { keyOf } from '../store/hash.js';
import { type ArtifactKind, artifactKinds } from '../store/manifest.js';
import { Store } from '../store/store.js';
import { datasetKey, systemKey } from './groups.js';

/** The vocabulary of `models` and `findings` about files are small, and shared by everything made later. */
const lasting: readonly ArtifactKind[] = ['models', 'findings'];
const temporaryKinds = artifactKinds.filter((kind) => !lasting.includes(kind));
/** Made from the collection alone: runs of other seeds use them too. */
const seedless: readonly ArtifactKind[] = ['indexes', 'negatives'];

/** A cell that is recorded, or a training that is done: what searching with it again needs may stay. */
interface Finished {
  request: RunRequest;
  /** Keys of artifacts. */
  searchable: readonly string[];
  /** `model` is absent where nothing is trained. */
  record: { model?: unknown };
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
    const { architecture, dataset, data, seed, init, negatives } = request;
    const deciding = decidingSettings(request.config);
    const owner = keyOf({ architecture, dataset, data, seed, init, negatives, deciding });
    const store = new Store(cache, {
      temporary: keep === 'all' ? [] : temporaryKinds,
      owner,
      anew: request.anew,
      told: this.progress,
    });
    this.#works.push({ request, store });
    return store;
  }

  /** From now on what the cell was made of may go. */
  recorded(cell: Finished): void {
    for (const work of this.#works) if (work.request === cell.request) work.cell = cell;
  }

  /** Removes what the requests still to come do not need. What a failed run had finished stays for the next attempt. */
  async tidy(later: readonly RunRequest[]): Promise<void> {
    for (const work of this.#works) {
      if (work.cell === undefined || work.holdsLeft) continue;
      await work.store.holdLeft();
      work.holdsLeft = true;
    }
    const folders = new Set(this.#works.flatMap(({ store }) => store.temporaryFolders));
    let bytes = 0;
    for (const folder of folders) bytes += await bytesOnDisk(folder);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    const datasets = new Set(later.map(datasetKey));
    const systems = new Set(later.map(systemKey));
    for (const { request, store, cell } of this.#works) {
      const searchable = request.config.keep === 'indexes' ? (cell?.searchable ?? []) : [];
      this.removedBytes += await store.release((kind, key) => {
        if (cell === undefined) return 'left';
        if (searchable.includes(key)) return 'kept';
        // The index of a trained model belongs to its system.
        const trained = cell.record.model !== undefined && cell.searchable.includes(key);
        const needed =
          systems.has(systemKey(request)) ||
          (!trained && seedless.includes(kind) && datasets.has(datasetKey(request)));
        return needed ? 'held' : 'removed';
      });
    }
  }

  /** Lets go of everything and removes nothing. */
  async leave(): Promise<void> {
    for (const { store } of this.#works) await store.release(() => 'left');
  }
}
