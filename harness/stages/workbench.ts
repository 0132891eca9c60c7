/** Where the stages of one request are made: what is open is open once, and what was made is not asked for again. */
import type { GrownDataset } from '../contracts.js';
import type { ShardSpan } from '../index/index-facts.js';
import { builtIndex } from '../pipeline/built-index.js';
import type { OpenModel } from '../pipeline/open-model.js';
import type { Session } from '../pipeline/prepare.js';
import { closeSearching, type OpenSearch, openSearching } from '../pipeline/searching.js';
import type { StageLog } from '../pipeline/stage-log.js';
import type { Progress } from '../progress.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import {
  type BuiltNeed,
  type Choice,
  type DatasetPart,
  inputKey,
  type ModelNeed,
  makeHere,
  type Need,
  type Stage,
  type Workplace,
} from './graph.js';

interface Open<T> {
  /** Input keys of what it was opened from. */
  key: string;
  it: T;
}

/** What is open and what was made, whichever part of the dataset it is of. */
interface Held {
  made: Map<string, Promise<Artifact<unknown>>>;
  model?: Open<OpenModel> | undefined;
  searching?: Open<OpenSearch> | undefined;
}

export class Workbench implements Workplace {
  readonly config: Session['config'];
  readonly store: Session['store'];
  readonly dataset: Session['dataset'];
  readonly offline: boolean;
  readonly #held: Held;
  readonly #grown: GrownDataset | undefined;

  /**
   * @param log gets the stages that are asked for by `logged`, those before a failure too
   * @param of another one that this shows a part of
   */
  constructor(
    readonly prepared: Session,
    readonly progress: Progress,
    readonly log: StageLog,
    readonly openEngine?: Engine | undefined,
    of?: Workbench,
  ) {
    const { config, store, dataset, offline } = prepared;
    this.config = config;
    this.store = store;
    this.dataset = dataset;
    this.offline = offline;
    this.#held = of === undefined ? { made: new Map() } : of.#held;
    this.#grown = of === undefined ? dataset.grown : of.#grown;
  }

  of(part: DatasetPart): Workbench {
    const dataset = this.#grown?.[part] ?? this.dataset;
    if (dataset === this.dataset) return this;
    return new Workbench({ ...this.prepared, dataset }, this.progress, this.log, this.openEngine, this);
  }

  get engine(): Engine {
    if (this.openEngine === undefined) throw new TypeError('This system computes on no engine.');
    return this.openEngine;
  }

  async made<Facts>(need: Stage<Facts> | Choice<Facts>): Promise<Artifact<Facts>> {
    const stage = 'among' in need ? need.chosen : need;
    if (stage === undefined) throw new TypeError('It is not chosen yet.');
    const key = `${stage.kind}/${inputKey(stage)}`;
    const known = this.#held.made.get(key);
    if (known !== undefined) return { ...((await known) as Artifact<Facts>), cached: true };
    const making = (this.log.making ?? makeHere).artifact(stage, this);
    this.#held.made.set(key, making);
    return making;
  }

  /** One that stands in the record, by its name. */
  logged<Facts>(stage: Stage<Facts> | Choice<Facts>, name: string): Promise<Artifact<Facts>> {
    return this.log.artifact(name, () => this.made(stage));
  }

  async folderOf(need: Need): Promise<string> {
    return 'folder' in need ? need.folder : (await this.made(need)).folder;
  }

  async model(model: ModelNeed): Promise<OpenModel> {
    const key = inputKey(model.need);
    if (this.#held.model?.key !== key) {
      this.#letGo();
      this.#held.model = { key, it: await model.open(this) };
    }
    return this.#held.model.it;
  }

  async searching(shards: Need, index?: BuiltNeed, span?: ShardSpan): Promise<OpenSearch> {
    const keys = [shards, ...(index ? [index] : [])].map(inputKey);
    const key = [...keys, ...(span ? [`shards ${span.first} to ${span.end}`] : [])].join();
    if (this.#held.searching?.key === key) return this.#held.searching.it;
    await this.#closeIndex();
    const built = index && builtIndex(await this.made(index), this.config, index.by!);
    const folder = await this.folderOf(shards);
    const it = await openSearching(this.prepared, this.engine, folder, built, span);
    this.#held.searching = { key, it };
    return it;
  }

  /** All that is open; the engine is not its own. */
  async close(): Promise<void> {
    await this.#closeIndex();
    this.#letGo();
  }

  async #closeIndex(): Promise<void> {
    const open = this.#held.searching;
    this.#held.searching = undefined;
    if (open !== undefined) await closeSearching(open.it);
  }

  /** The model goes, and its weights from the engine. */
  #letGo(): void {
    if (this.#held.model !== undefined) this.openEngine?.release(this.#held.model.it.weights);
    this.#held.model = undefined;
  }
}
