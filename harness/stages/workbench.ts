/** Where the stages of one request are made: what is open is open once, and what was made is not asked for again. */
import type { GrownDataset } from '../contracts.js';
import type { ShardSpan } from '../index/index-facts.js';
import type { VectorEncoder } from '../model/vector-encoder.js';
import { builtIndex } from '../pipeline/built-index.js';
import type { OpenModel } from '../pipeline/open-model.js';
import type { Session } from '../pipeline/prepare.js';
import { type OpenSearch, openSearching } from '../pipeline/searching.js';
import type { StageLog } from '../pipeline/stage-log.js';
import type { Progress } from '../progress.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import {
  type BuiltNeed,
  type Choice,
  type DatasetPart,
  type EncoderOfModel,
  inputKey,
  type ModelNeed,
  makeHere,
  type Need,
  type Stage,
  type Workplace,
} from './graph.js';
import { HeldOpen } from './held-open.js';

/** What a workbench has of another one. */
interface Shared {
  readonly held: HeldOpen;
  /** What was made; absent where that is another task's, which asks anew. */
  readonly made?: Made;
  /** Where `prepared` has one part of it. */
  readonly grown?: GrownDataset | undefined;
}

/** By kind and key. */
type Made = Map<string, Promise<Artifact<unknown>>>;

export class Workbench implements Workplace {
  readonly config: Session['config'];
  readonly store: Session['store'];
  readonly dataset: Session['dataset'];
  readonly offline: boolean;
  readonly #held: HeldOpen;
  readonly #made: Made;
  readonly #grown: GrownDataset | undefined;

  /** @param log gets the stages that are asked for by `logged`, those before a failure too */
  constructor(
    readonly prepared: Session,
    readonly progress: Progress,
    readonly log: StageLog,
    readonly openEngine?: Engine | undefined,
    shared: Shared = { held: new HeldOpen(openEngine) },
  ) {
    const { config, store, dataset, offline } = prepared;
    this.config = config;
    this.store = store;
    this.dataset = dataset;
    this.offline = offline;
    this.#held = shared.held;
    this.#made = shared.made ?? new Map();
    this.#grown = shared.grown ?? dataset.grown;
  }

  of(part: DatasetPart): Workbench {
    const dataset = this.#grown?.[part] ?? this.dataset;
    if (dataset === this.dataset) return this;
    const shared = { held: this.#held, made: this.#made, grown: this.#grown };
    return new Workbench({ ...this.prepared, dataset }, this.progress, this.log, this.openEngine, shared);
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

  model(model: ModelNeed): Promise<OpenModel> {
    return this.#held.model(inputKey(model.need), () => model.open(this));
  }

  async withEncoder<T>(
    model: ModelNeed,
    which: EncoderOfModel,
    use: (opened: OpenModel, encoder: VectorEncoder) => Promise<T>,
  ): Promise<T> {
    const opened = await this.model(model);
    return this.#held.withEncoder(opened, which, (encoder) => use(opened, encoder));
  }

  searching(shards: Need, index?: BuiltNeed, span?: ShardSpan): Promise<OpenSearch> {
    const keys = [shards, ...(index ? [index] : [])].map(inputKey);
    const key = [...keys, ...(span ? [`shards ${span.first} to ${span.end}`] : [])].join();
    return this.#held.searching(key, async () => {
      const built = index && builtIndex(await this.made(index), this.config, index.by!);
      const folder = await this.folderOf(shards);
      return openSearching(this.prepared, this.engine, folder, built, span);
    });
  }

  /** All that is open; the engine is not its own. */
  close(): Promise<void> {
    return this.#held.close();
  }
}
