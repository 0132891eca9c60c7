/**
 * The stages of a run as one graph: what each leaves, what it needs, and what decides its result. Everybody reads this graph,
 * and nobody outside a stage knows its inputs. `systems.ts` beside it says which stages a system has.
 */
import type { BenchConfig } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import type { ShardSpan } from '../index/index-facts.js';
import type { VectorEncoder } from '../model/vector-encoder.js';
import type { IndexedFacts } from '../pipeline/built-index.js';
import type { NamedBuilder } from '../pipeline/choose-searcher.js';
import type { OpenModel } from '../pipeline/open-model.js';
import type { OpenSearch } from '../pipeline/searching.js';
import { threadsOf } from '../program/processor.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import type { About, MakingConditions } from '../store/manifest.js';
import type { Artifact, ArtifactKind, Inputs, Store } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';

/** A step that leaves an artifact in the cache. */
export interface Stage<Facts = unknown> {
  /** As a record calls it: `encode`, `train, stage 1`. */
  readonly name: string;
  readonly kind: ArtifactKind;
  /** What it leaves, in which form: another form has another version. */
  readonly version: string;
  /** What it reads of other stages, and of users, by what that is to it. */
  readonly needs: Readonly<Record<string, Need | undefined>>;
  /** Everything else that decides what it leaves, its code included, and nothing that does not. */
  inputs(): Inputs;
  readonly about: About;
  /** Where many machines share the work: which kind of task it is by itself; made with its cell where absent. */
  readonly task?: 'train' | 'encode' | 'search';
  /**
   * Where it can be made in pieces that know nothing of each other: on many machines, in any order. Undefined where there is
   * too little to be cut, so that it is made with its cell, or where what it needs has to be made before that is known. Makes
   * nothing itself. @param key of the artifact
   */
  pieces?(at: Workplace, key: string): Promise<Pieces | undefined>;
  /** @param folder may hold what an earlier, killed attempt left @param key of the artifact, its input key */
  make(folder: string, at: Workplace, key: string): Promise<Facts>;
}

/** A stage cut so that no number depends on the cut. */
export interface Pieces {
  readonly count: number;
  /** Which one it is, for people: `shard 3 of 8`. @param piece from 0 */
  nameOf(piece: number): string;
  /** What tells its content from that of others, beside its number. */
  inputs?(piece: number): Inputs;
  /** Leaves one piece in a folder of its own. @param piece from 0 */
  make(folder: string, piece: number): Promise<unknown>;
  /** Puts a piece where `make` of the stage takes it for its own. */
  join(folder: string, pieceFolder: string, piece: number): Promise<void>;
}

/** How a stage comes to its artifact; asked for every stage of a graph. */
export interface StageMaking {
  artifact<Facts>(stage: Stage<Facts>, at: Workplace): Promise<Artifact<Facts>>;
}

/** What how long a making takes depends on, beside the machine. */
export const conditionsOf = ({ config }: Pick<Workplace, 'config'>): MakingConditions => ({
  threads: threadsOf(config.threads),
});

/** Here, whole, where it is not in the cache. It is not finished where the collection is edited meanwhile. */
export const makeHere: StageMaking = {
  artifact: (stage, at) =>
    at.store.artifact(
      stage.kind,
      inputsOf(stage),
      (folder, own) => at.store.hashes.during(() => stage.make(folder, at, own)),
      stage.about,
      conditionsOf(at),
    ),
};

/** A folder that is there, made by a stage once or handed in. */
export interface Given {
  readonly folder: string;
  /** The input key of the stage that left it; of a folder that does not say, its content key: a hash of what it holds. */
  readonly key: string;
}

/** One of several stages, which is known once they are made. */
export interface Choice<Facts = unknown> {
  readonly among: readonly Stage<Facts>[];
  chosen?: Stage<Facts>;
}

export type Need<Facts = unknown> = Stage<Facts> | Choice<Facts> | Given;

/** What has vectors: a checkpoint, or a model as it was published. */
export interface ModelNeed {
  readonly need: Need;
  /** The name of the system. */
  readonly name: string;
  /** What computes beside the stages' own code. */
  readonly code: OpenModel['code'];
  /** Whether one of several vectors of a passage wins; false where absent. */
  readonly hasWinners?: boolean;
  open(at: Workplace): Promise<OpenModel>;
}

/** What gives texts vectors by a model. */
export interface EncoderOfModel {
  /** Tells it from others of the model. */
  readonly name: string;
  open(model: OpenModel): VectorEncoder;
}

/** Of a dataset with distractors: as it was opened, and the two that its passages stand in. */
export type DatasetPart = 'whole' | 'base' | 'distractors';

/** Where stages are made, and what they are made with. */
export interface Workplace {
  readonly config: BenchConfig;
  readonly store: Store;
  readonly dataset: Dataset;
  readonly offline: boolean;
  readonly progress: Progress;
  /** @throws TypeError where the system has none */
  readonly engine: Engine;
  /** What a stage leaves, made where it is not in the cache. */
  made<Facts>(stage: Stage<Facts> | Choice<Facts>): Promise<Artifact<Facts>>;
  folderOf(need: Need): Promise<string>;
  /** One at a time: another that is opened closes it. */
  model(model: ModelNeed): Promise<OpenModel>;
  /** Has passages encoded by a model. @param use is given what it is done with, and uses none of it later */
  withEncoder<T>(
    model: ModelNeed,
    which: EncoderOfModel,
    use: (opened: OpenModel, encoder: VectorEncoder) => Promise<T>,
  ): Promise<T>;
  /** An index with what searches it, one at a time. @param span some of the shards, as if there were no others */
  searching(shards: Need, index?: BuiltNeed, span?: ShardSpan): Promise<OpenSearch>;
  /** The same place where a stage reads one part of the dataset; itself where that has no distractors. */
  of(part: DatasetPart): Workplace;
}

/** A stage that reads one part of a dataset with distractors. */
export function onPart<Facts>(stage: Stage<Facts>, part: DatasetPart): Stage<Facts> {
  return {
    ...stage,
    ...(stage.pieces && {
      pieces: (at: Workplace, key: string) => stage.pieces!(at.of(part), key),
    }),
    make: (folder, at, key) => stage.make(folder, at.of(part), key),
  };
}

/** An index that is built from shards and searched instead of them. */
export type BuiltNeed = Stage<IndexedFacts> & {
  /** Who builds it, and searches it; absent where only a name is known. */
  readonly by: NamedBuilder | undefined;
};

/**
 * The input key: what a need is known by before anything is made, and what its artifact is named by. That of a stage behind
 * a choice is known once the choice is made; until then it tells such stages apart.
 */
export function inputKey(need: Need): string {
  if ('among' in need)
    return need.chosen === undefined ? keyOf({ oneOf: need.among.map(inputKey) }) : inputKey(need.chosen);
  return 'make' in need ? keyOf(inputsOf(need)) : need.key;
}

/** Whether no choice is open in what it is made of: its input key is that of its artifact. */
export function isChosen(need: Need): boolean {
  if ('among' in need) return need.chosen !== undefined && isChosen(need.chosen);
  return !('make' in need) || Object.values(need.needs).every((each) => each === undefined || isChosen(each));
}

/** What a stage's input key is made from, as its manifest has it. */
export function inputsOf({ version, needs, inputs }: Stage): Inputs {
  const needed = Object.entries(needs).flatMap(([name, need]) =>
    need === undefined ? [] : [[name, inputKey(need)] as const],
  );
  const own = inputs();
  const twice = needed.find(([name]) => name in own || name === 'made');
  if (twice !== undefined) throw new TypeError(`${version} has two inputs of the name ${twice[0]}`);
  return { made: version, ...Object.fromEntries(needed), ...own };
}

/**
 * How the stages of a graph are known in another graph of the same request: keys made from names, by those of artifacts.
 * @param stages of the one, all of which the other has @param others in the same order
 */
export function knownAs(stages: readonly Need[], others: readonly Need[]): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (one: Need | undefined, other: Need | undefined) => {
    if (one === undefined || other === undefined) return;
    found.set(inputKey(one), inputKey(other));
    const [own, its] = [partsOf(one), partsOf(other)];
    for (const name of Object.keys(own)) visit(own[name], its[name]);
  };
  stages.forEach((stage, i) => {
    visit(stage, others[i]);
  });
  return found;
}

const partsOf = (need: Need): Readonly<Record<string, Need | undefined>> =>
  'among' in need ? Object.fromEntries(need.among.entries()) : 'make' in need ? need.needs : {};

/** The stages and all that they need, each once, what is needed first. */
export function inOrder(stages: readonly Need[]): Stage[] {
  const found = new Set<Stage>();
  const visit = (need: Need | undefined) => {
    if (need === undefined || found.has(need as Stage)) return;
    Object.values(partsOf(need)).forEach(visit);
    if ('make' in need) found.add(need);
  };
  stages.forEach(visit);
  return [...found];
}
