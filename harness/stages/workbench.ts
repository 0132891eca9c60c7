/** Where the stages of one request are made: what is open is open once, and what was made is not asked for again. */
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

export class Workbench implements Workplace {
  readonly config: Session['config'];
  readonly store: Session['store'];
  readonly dataset: Session['dataset'];
  readonly offline: boolean;
  readonly #made = new Map<string, Promise<Artifact<unknown>>>();
  #model: Open<OpenModel> | undefined;
  #searching: Open<OpenSearch> | undefined;

  /** @param log gets the stages that are asked for by `logged`, those before a failure too */
  constructor(
    readonly prepared: Session,
    readonly progress: Progress,
    readonly log: StageLog,
    readonly openEngine?: Engine | undefined,
  ) {
    const { config, store, dataset, offline } = prepared;
    this.config = config;
    this.store = store;
    this.dataset = dataset;
    this.offline = offline;
  }

  get engine(): Engine {
    if (this.openEngine === undefined) throw new TypeError('This system computes on no engine.');
    return this.openEngine;
  }

  async made<Facts>(need: Stage<Facts> | Choice<Facts>): Promise<Artifact<Facts>> {
    const stage = 'among' in need ? need.chosen : need;
    if (stage === undefined) throw new TypeError('It is not chosen yet.');
    const key = `${stage.kind}/${inputKey(stage)}`;
    const known = this.#made.get(key);
    if (known !== undefined) return { ...((await known) as Artifact<Facts>), cached: true };
    const making = (this.log.making ?? makeHere).artifact(stage, this);
    this.#made.set(key, making);
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
    if (this.#model?.key !== key) {
      this.#letGo();
      this.#model = { key, it: await model.open(this) };
    }
    return this.#model.it;
  }

  async searching(shards: Need, index?: BuiltNeed, span?: ShardSpan): Promise<OpenSearch> {
    const keys = [shards, ...(index ? [index] : [])].map(inputKey);
    const key = [...keys, ...(span ? [`shards ${span.first} to ${span.end}`] : [])].join();
    if (this.#searching?.key === key) return this.#searching.it;
    await this.#closeIndex();
    const built = index && builtIndex(await this.made(index), this.config, index.by!);
    const folder = await this.folderOf(shards);
    const it = await openSearching(this.prepared, this.engine, folder, built, span);
    this.#searching = { key, it };
    return it;
  }

  /** All that is open; the engine is not its own. */
  async close(): Promise<void> {
    await this.#closeIndex();
    this.#letGo();
  }

  async #closeIndex(): Promise<void> {
    const open = this.#searching;
    this.#searching = undefined;
    if (open !== undefined) await closeSearching(open.it);
  }

  /** The model goes, and its weights from the engine. */
  #letGo(): void {
    if (this.#model !== undefined) this.openEngine?.release(this.#model.it.weights);
    this.#model = undefined;
  }
}
