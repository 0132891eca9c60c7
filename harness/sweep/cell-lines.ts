/** One line for each cell of a sweep: what became of it, and how long the rest will take. */

import type { RunRequest } from '../pipeline/run-request.js';
import { duration, type Progress } from '../progress.js';
import { mean } from '../statistics/summary.js';

/** What became of a cell. */
export type CellOutcome =
  /** `found` are the stages that were taken from the cache. */
  | { state: 'done' | 'from cache'; found: readonly string[] }
  | { state: 'recorded before' }
  /** Nothing of it is to be timed. */
  | { state: 'trained' | 'trained before' }
  | { state: 'failed'; reason: string };

export class CellLines {
  readonly total: number;
  readonly #severalDatasets: boolean;
  #begun = 0;
  #ended = 0;
  /** Milliseconds of the cells that had to be made, by architecture, and of timing per cell. */
  readonly #madeMs = new Map<string, number[]>();
  readonly #timedMs: number[] = [];
  /** Cells that have not ended, by architecture. */
  readonly #left = new Map<string, number>();
  /** Cells that wait for the others of their group, to be timed. */
  #waiting = 0;

  /** @param now milliseconds that only grow */
  constructor(
    requests: readonly RunRequest[],
    readonly progress: Pick<Progress, 'note' | 'within'>,
    readonly now: () => number = () => performance.now(),
  ) {
    this.total = requests.length;
    for (const { architecture } of requests)
      this.#left.set(architecture, (this.#left.get(architecture) ?? 0) + 1);
    this.#severalDatasets = new Set(requests.map(collectionOf)).size > 1;
  }

  /** @returns to be called when the cell has ended */
  begin(request: RunRequest): (outcome: CellOutcome) => void {
    const { architecture, seed } = request;
    const startedMs = this.now();
    this.#begun++;
    // A run by itself needs no name.
    if (this.total > 1) {
      const on = this.#severalDatasets ? ` on ${collectionOf(request)}` : '';
      this.progress.within(`${architecture}${on}, seed ${seed}, ${this.#begun} of ${this.total}`, () =>
        this.#timeLeft(this.now() - startedMs),
      );
    }
    return (outcome) => {
      const ms = this.now() - startedMs;
      this.progress.within();
      this.#ended++;
      this.#left.set(architecture, this.#left.get(architecture)! - 1);
      if (outcome.state === 'done' || outcome.state === 'trained')
        this.#madeMs.set(architecture, [...(this.#madeMs.get(architecture) ?? []), ms]);
      if (outcome.state === 'done' || outcome.state === 'from cache') this.#waiting++;
      // A run by itself tells of itself, unless nothing happens.
      if (this.total === 1 && (outcome.state === 'done' || outcome.state === 'from cache')) {
        const all = outcome.state === 'from cache' ? ', which is all of it; --fresh makes it anew' : '';
        if (outcome.found.length > 0)
          this.progress.note(`${titleOf(request)}: from cache: ${outcome.found.join(', ')}${all}`);
        return;
      }
      if (this.total === 1 && outcome.state !== 'recorded before') return;
      const { reason } = outcome as { reason?: string };
      const what = `${outcome.state}${outcome.state === 'recorded before' ? '' : ` ${outcome.state === 'failed' ? 'after' : 'in'} ${duration(ms)}`}`;
      this.progress.note(
        `cell ${this.#ended} of ${this.total}: ${titleOf(request)}: ${what}, ${this.#leftText()}${reason === undefined ? '' : `\n  ${reason}`}`,
      );
    };
  }

  /** So many cells have been timed together. */
  timed(cells: number, ms: number): void {
    this.#waiting -= cells;
    if (cells > 0) this.#timedMs.push(ms / cells);
  }

  #leftText(): string {
    const left = `${this.total - this.#ended} left`;
    const time = this.#timeLeft(0);
    return time === undefined ? left : `${left}, ${time} left`;
  }

  /**
   * `about 3 min 05 s`; `perhaps`, where a system has not been made yet and is taken for the longest there was: BM25 takes seconds,
   * a training hours. Undefined where nothing is left, or nothing is known of the time that a cell takes.
   * @param begunMs of the cell that is being made
   */
  #timeLeft(begunMs: number): string | undefined {
    const left = this.total - this.#ended;
    if (left + this.#waiting === 0) return undefined;
    const made = new Map([...this.#madeMs].map(([architecture, ms]) => [architecture, usual(ms)]));
    if (left > 0 ? made.size === 0 : this.#timedMs.length === 0) return undefined;
    const longest = Math.max(0, ...made.values());
    let leftMs = (left + this.#waiting) * usual(this.#timedMs);
    for (const [architecture, cells] of this.#left) leftMs += cells * (made.get(architecture) ?? longest);
    const isWhole = [...this.#left].every(([architecture, cells]) => cells === 0 || made.has(architecture));
    return `${isWhole ? 'about' : 'perhaps'} ${duration(Math.max(0, leftMs - begunMs))}`;
  }
}

export const titleOf = (
  request: Pick<RunRequest, 'architecture' | 'dataset' | 'distractors' | 'seed'>,
): string => `${request.architecture} on ${collectionOf(request)}, seed ${request.seed}`;

/** `squad + 1000 of beir/nq` */
export function collectionOf({ dataset, distractors }: Pick<RunRequest, 'dataset' | 'distractors'>): string {
  if (distractors === undefined) return dataset;
  return `${dataset} + ${distractors.count} of ${distractors.from?.dataset ?? 'its own'}`;
}

/** Milliseconds per cell; 0 where none is known. */
const usual = (ms: readonly number[]): number => (ms.length === 0 ? 0 : mean(ms));
