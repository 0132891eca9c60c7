/**
 * What is compared: a trained architecture, BM25. A file of `harness/systems` exports one kind of them by default; whatever
 * depends on which kind it is stands behind these interfaces, and nobody else asks.
 */
import type { BenchConfig } from '../config/config.js';
import type { Query, Split } from '../contracts.js';
import type { Part } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import type { CurveFacts, Findings, WinnerFacts } from '../record.js';
import type { RerankCut } from '../search/rerank.js';
import type { PassageHits } from '../search/search.js';
import type { Need } from '../stages/graph.js';
import type { Known } from '../stages/known.js';
import type { Ordering } from '../stages/rerank.js';
import type { RunFacts } from '../stages/search.js';
import type { SystemStages } from '../stages/systems.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { TrainingSize } from '../train/training-memory.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import type { Measurement } from './measure-stage.js';
import type { Session } from './prepare.js';
import type { NamedPassages } from './run-of-hits.js';
import type { RunRequest } from './run-request.js';
import type { StageLog } from './stage-log.js';
import type { Conditions, Timed } from './whole-index.js';

/** What `steps` of a system's kind gives; it is imported when a system is put to work, since it is heavy. */
export interface SystemSteps {
  /**
   * What can be known before anything runs: that names exist, that files are there, that this machine has what is asked for.
   * @throws BenchError as the run would
   */
  requirements(request: RunRequest): Promise<Means>;
  /**
   * The stages whose artifacts its hits and its study are made of; what these need hangs on them.
   * @param known names alone, or what is really there: nothing is made to find out
   */
  stages(request: RunRequest, known: Known): Promise<SystemStages>;
  /** What a run would do, in lines for people. @param means as `requirements` found them */
  plan(request: RunRequest, means: Means): Promise<SystemPlan>;
  /** How long its stages take on this machine: a little of them is really done. */
  times(trial: Trial): Promise<StageTime[]>;
  /** `AnsweredSystem.given` as it will be, where that is known before anything is made; absent where nothing is given, or it is not known. */
  given?(request: RunRequest): Promise<AnsweredSystem['given']>;
  /** Every stage as far as the hits of a split. The caller closes what comes back. */
  answer(asking: AnswerRequest): Promise<AnsweredSystem>;
  /** Every stage as far as the vectors of the passages; absent where it has none, or has them of a checkpoint. */
  encode?(asking: AnswerRequest): Promise<Encoding>;
  /** Every stage as far as what can score any passage, which the caller closes; absent where nothing can. */
  score?(asking: AnswerRequest): Promise<ScoringSystem>;
  /**
   * The stage that puts the hits of another in a new order. Absent where there is no `score`, and where `vectors` of `stages` say how.
   * @param known as for `stages`
   */
  ordering?(request: RunRequest, known: Known): Promise<Ordering>;
  /** To be timed. @param from of the `opening` that `answer` gave */
  open(from: object, way: WayToOpen): Promise<OpenSystem>;
  /** Loads what opening runs, an engine's library too, and reads nothing of the system; absent where its modules are all. */
  loadCode?(from: object): Promise<void>;
  /** @param from of the `opening` that `score` gave; absent where there is no `score` */
  openScoring?(from: object, way: WayToOpen): Promise<OpenScoring>;
}

/** What a run comes to on this machine, as far as it is known before it begins. */
export interface Means {
  /** Absent where nothing is computed on one. */
  engine?: Pick<Engine, 'name' | 'device' | 'threads'>;
  /** The searcher that builds the index; absent where it is Flat, or there are no vectors. */
  builder?: string;
  /** D, and vectors per passage; absent where there are none, and where the model is not here. */
  vectors?: { dimensions: number; perPassage: number; atMost: boolean };
  /** What scores pairs of texts, in numbers of its weights; absent where nothing does, and where the model is not here. */
  pairs?: { weights: number };
  /** Present where postings of a model's weights are searched, and not vectors; whether all models are here. */
  postings?: { isModelHere: boolean };
  /** What is trained, both encoders where they are two; absent where nothing is, and where the model is not here. */
  trained?: Pick<TrainingSize, 'weights' | 'shape'>;
}

export interface SystemPlan {
  /** From the model to the search. */
  stages: readonly string[];
  /** See `AnsweredSystem.untimed`. */
  untimed?: string;
  /** What the machine has to have. @param passages N; null where it is not known */
  needs(passages: number | null): Promise<readonly string[]>;
}

export interface AnswerRequest {
  request: RunRequest;
  prepared: Session;
  split: Split;
  /** Hits per query. */
  depth: number;
  identicalIds: 'dropped' | 'kept';
  /** Gets the stages, those before a failure too. */
  log: StageLog;
  progress: Progress;
}

/** What only the system knows of a run's record; `index` is absent where its hits were made elsewhere, or those of all its systems. */
export type SystemFacts = Pick<Findings, 'config' | 'arch' | 'device'> &
  Partial<Pick<Findings, 'model' | 'training' | 'components' | 'hitsFrom' | 'index'>>;

/** A system that has answered the queries of a split. */
export interface AnsweredSystem {
  readonly run: Artifact<RunFacts>;
  readonly index: NamedPassages;
  readonly facts: SystemFacts;
  /** What tells this run from another of the same settings; part of its record's name. */
  readonly given: Readonly<Record<string, unknown>>;
  /** What a reader of the figures should know. */
  readonly remarks: readonly string[];
  /** What has to be added up for the seconds of building and searching the whole index. */
  readonly work: Readonly<Record<string, { timed: Timed; wanted: Conditions }>>;
  /** Why it is not timed, and nothing is measured while it answers: its hits were made elsewhere. Absent where it is. */
  readonly untimed?: string;
  /** Memory that it takes while it is open: the index as far as it is held, and the model. */
  readonly openBytes: number;
  /** Whether every search reads the whole index from the disk. */
  readonly rereads: boolean;
  /**
   * Whether hits of equal scores are usual, as where scores are made of ranks: its run is written with their order in its scores.
   * Scores of all others are written as they are, so that they can be worked with. False where absent.
   */
  readonly hasTies?: true;
  /** As `SystemSteps.stages` gives them. */
  readonly stages: SystemStages;
  /** Those that searching again needs. */
  readonly searchable: readonly Need[];
  /** What is looked into once the hits are measured. */
  study?(hits: PassageHits, measured: Measurement): Promise<Study>;
  /** By which it is opened anew; after `close` too, and in another process. */
  readonly opening: Opening;
  close(): Promise<void>;
}

/** A system whose passages have their vectors. Nothing of it is open but its engine. */
export interface Encoding {
  readonly shards: Artifact<unknown>;
  close(): Promise<void>;
}

/** A system that scores passages which another has found. Nothing of it is open but its engine. */
export interface ScoringSystem
  extends Pick<
    AnsweredSystem,
    'facts' | 'given' | 'remarks' | 'openBytes' | 'searchable' | 'opening' | 'close'
  > {
  readonly ordering: Ordering;
  /** Where the stage that scores computes on one. */
  readonly engine?: Engine;
  /** Under which that stage should have been computed. */
  readonly conditions: Conditions;
}

/** Puts the hits of another system in a new order, to be timed. */
export interface OpenScoring {
  /** What is done with a query before its hits are there: `tokenize` and `encode`, as far as it has them. */
  readonly parts: readonly Part[];
  /** @param given what `parts` made of one query; itself where there are none @param hits of that query */
  order(given: unknown, hits: PassageHits, cut: RerankCut): Promise<PassageHits>;
  orderBatch(queries: readonly Query[], hits: PassageHits, cut: RerankCut): Promise<PassageHits>;
  /** Whether what it reads of passages lies in memory. */
  readonly resident: boolean;
  close(): Promise<void>;
}

export interface Study {
  /** Where passages have several vectors. */
  winners?: WinnerFacts | undefined;
  /** Of an index that is not exact. */
  curve?: CurveFacts | undefined;
  remarks: readonly string[];
}

/** A name that `--arch` takes and what it stands for. */
export interface SystemListing {
  name: string;
  summary: string;
}

export interface System extends SystemListing {
  /** Whether something is trained for it: what `--init`, `--negatives` and `bench train` speak of. */
  isTrained: boolean;
  /** Whether it finds no passages, and scores those of another system alone. */
  scoresOnly?: true;
  /** Names of the systems that it is put together of. */
  components?: readonly string[];
  /** The sections of the configuration that play a part. */
  settings: readonly (keyof BenchConfig)[];
  steps(): Promise<SystemSteps>;
}

/** `harness/systems/NAME.ts` exports one of these by default. Light: it is loaded to look names up. */
export interface SystemKind {
  list(): Promise<readonly SystemListing[]>;
  /** Where there is no list of its names: how they are written, such as `vectors:FOLDER`. */
  readonly form?: SystemListing;
  /** Whether a name is of this kind, be it right or not. */
  has(name: string): Promise<boolean>;
  /** @throws BenchError UNKNOWN_NAME where it has a fault */
  load(name: string): Promise<System>;
}
