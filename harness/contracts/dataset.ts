/** What a dataset is, and the files it comes from. */
import type { Passage, Qrel, Query, Split } from './records.js';

/** A file that a dataset was read from, as it was found on this machine. */
export interface DataFile {
  name: string;
  sizeBytes: number;
  sha256: string;
}

/**
 * A file that can be fetched, as its publisher describes it. Give the sha256 or, where only that is known, the md5. Where
 * the publisher gives neither, the file that comes first is taken and its sha256 kept: a later one has to be the same.
 */
export interface Download {
  /** Its file name. The downloads of one dataset, variants and all, share a folder: one name is one file. */
  name: string;
  /** Empty where nothing can be fetched: `instructions` say what to do. */
  url: string;
  /** 0 where the publisher does not say. */
  sizeBytes: number;
  sha256?: string;
  md5?: string;
  licence: string;
  /** What to do where a licence forbids fetching, or where the file has to be rebuilt. */
  instructions?: string;
}

/** A repository of the Hugging Face hub: on this machine, or fetched file by file. */
export interface HubRepository {
  /** As the hub calls it; with the revision that was pinned, if one was. */
  name: string;
  /** The commit. */
  revision: string;
  /** Where its files lie, once they are fetched. */
  folder: string;
  /** Files that are here or can be fetched, by path within it, sorted. */
  files: readonly string[];
  /** Whether `files` are all that the commit has; else those that somebody has fetched before. */
  isWhole: boolean;
  /** Whether the commit is known not to have a file. */
  lacks(file: string): boolean;
  /** The path of a file, verified where it comes from the hub. @throws BenchError DOWNLOAD_FAILED, CACHE_INVALID */
  fetch(file: string): Promise<string>;
  /** Remembers, after all that is needed has been fetched, that this is the revision to be taken from now on. */
  keep(): Promise<void>;
}

export interface DatasetRequest {
  /** What follows the colon, where the plug-in opens addresses: `BeIR/scifact` of `hub:BeIR/scifact`. */
  address?: string;
  /** What follows the slash: `nq` of `dpr/nq`. */
  variant?: string;
  /** A folder given by `--data`: files are read from there and nothing is fetched. */
  folder?: string;
  /** Fetches into the cache what is not there, verified; returns its path. Throws where the network may not be used. */
  fetch(download: Download): Promise<string>;
  /**
   * A repository of datasets of the Hugging Face hub. Absent where there is none to be asked.
   * @param name `OWNER/NAME`, or `OWNER/NAME@REVISION`
   * @param isEnough whether what is on this machine holds what is needed; where not, the hub is asked
   * @throws BenchError UNKNOWN_NAME, DOWNLOAD_FAILED
   */
  repository?(
    name: string,
    isEnough: (found: HubRepository) => boolean | Promise<boolean>,
  ): Promise<HubRepository>;
  /** What may come out of an archive without a published hash; usual limits where absent. */
  unpacking?: { bytes: number; ratio: number };
  /**
   * The sha256 of a file, kept from one run to the next for as long as its size and times stay the same, that of the last change among
   * them, which cannot be set back. Absent where there is nowhere to keep it.
   */
  sha256Of?(file: string): Promise<string>;
  /**
   * Keeps what was found out about files from one run to the next, for as long as they hold the same bytes, wherever they lie. Absent
   * where there is nowhere to keep it.
   * @param what names the finding and the version of whatever found it
   */
  remember?<T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T>;
  /**
   * The same for what is too large to be remembered: the path of a file that was made from others.
   * @param make writes it; one that was not finished is made again. `told` takes how many bytes of the files it has gone through,
   *   now and then where that takes long
   */
  keepFile?(
    what: string,
    files: readonly string[],
    make: (file: string, told: (doneBytes: number) => void) => Promise<void>,
  ): Promise<string>;
}

/** Passages in their order. */
export interface PassageStream extends AsyncIterable<Passage> {
  /**
   * Those from a place on, without reading what stands before it. Absent where that is not known, or cannot be passed over.
   * @param ordinal place in the collection, from 0
   */
  from?(ordinal: number): AsyncIterable<Passage>;
  /**
   * Those at some places, in their order, without reading the others. Absent where they cannot be read alone.
   * @param ordinals places in the collection, from 0, ascending
   */
  at?(ordinals: Iterable<number>): AsyncIterable<Passage>;
}

/**
 * A dataset that has been opened. Iterators start from the beginning at every call and always give the same order.
 * Memory must not grow with the number of passages: what is read is streamed.
 */
export interface Dataset {
  /** As the command line says it: `squad`, `dpr/nq`. */
  name: string;
  /** Changes whenever the records it gives could: publisher's version plus ours, such as `1.1-1`. */
  version: string;
  licence: string;
  files: readonly DataFile[];
  /** N, the number of passages. */
  passageCount: number;
  /** How an answer is sought in a hit's text: absent where queries have no answers. */
  answerMatching?: 'string' | 'regex';
  /** Lowest relevance that measures without grades take for relevant; 1 where absent. */
  relevantFrom?: number;
  /**
   * A hit whose passage id is the query's id is no hit: the query itself stands in the collection, or the dataset's own
   * evaluation has this rule. Where absent such a hit is one like any other.
   */
  dropsIdenticalIds?: true;
  /**
   * How hits of equal score are ordered where the dataset's own evaluation has a rule: `trec_eval`, by passage id, the larger
   * first, scores compared as 32-bit floats. Where absent they stay in the order of the search.
   */
  tieRule?: 'trec_eval';
  /**
   * What a training query makes examples of: its first positive alone (DPR's rule, and where absent), or each of its
   * positives (MS MARCO's qrels as training pairs). A dev query always asks for its first.
   */
  trainsOn?: 'first-positive' | 'each-positive';
  /** What a reader of its figures should know: qrels of passages that are not there, splits that are missing. */
  remarks?: readonly string[];
  /** Where passages were added to it. */
  grown?: GrownDataset;
  passages(): PassageStream;
  /**
   * The passages that a split trains on, where they come with its queries rather than in the collection alone (DPR): a
   * shorter way to their texts. A passage may come more than once, with the same id.
   */
  trainingPassages?(split: Split): AsyncIterable<Passage>;
  /** Those of train have each a positive, or answers that tell one when examples are mined. */
  queries(split: Split): Promise<readonly Query[]>;
  qrels(split: Split): Promise<readonly Qrel[]>;
  /** Passage ids of hard negatives by query id, best first; absent where the dataset ships none. */
  negatives?(split: Split): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Passage ids of negatives that are not hard, by id of a dev query (DPR's `negative_ctxs`), for the pool of average
   * rank; absent where the dataset ships none.
   */
  otherNegatives?(): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** What a collection was put together of that passages were added to: distractors, which no query asks for. */
export interface GrownDataset {
  /** The dataset as it was opened: it is trained on, and its queries are asked. */
  whole: Dataset;
  /** The passages that come first: all of `whole`, or, where the distractors are its own, those that its test queries need. */
  base: Dataset;
  /** The distractors of the largest collection that was asked for; a smaller one has the first of them. */
  distractors: Dataset;
  /** How many of them this one has. */
  count: number;
  /** Which code chose the distractors. */
  code: object;
  facts: DistractorFacts;
}

/** Distractors as a record tells of them. */
export interface DistractorFacts {
  count: number;
  /** Null where they are passages of the dataset itself. */
  from: { name: string; version: string; files: readonly DataFile[] } | null;
  /** The dataset as it was opened. */
  to: { name: string; version: string };
  /** Passages that they were added to: all of the dataset, or those that its test queries need. */
  basePassages: number;
  /** Passages that are no distractors: with the id of a relevant passage, or the text of one that is there. */
  leftOut: { relevantIds: number; sameTexts: number };
}

/** `datasets/NAME.ts` exports one of these by default. */
export interface DatasetPlugin {
  /** One line for `bench list datasets`. */
  summary: string;
  /** What may follow the slash; absent where nothing may. */
  variants?: readonly string[];
  /** Names that stand for several variants, whose figures are averaged: `cqadupstack` for its 12 forums. */
  groups?: Readonly<Record<string, readonly string[]>>;
  /** It opens whatever is named behind a colon, rather than one collection; a folder needs no such name. */
  address?: {
    /** For messages: `OWNER/NAME`. */
    form: string;
    fits(address: string): boolean;
  };
  /** It holds its records itself, downloads nothing and takes no `--data`. */
  embedded?: true;
  /** What it downloads, for `bench doctor` and the plan; empty where it is embedded or reads the folder of `--data` alone. */
  downloads(variant?: string): readonly Download[];
  /** Whether a variant has to be named; where absent, the name alone is a dataset too. */
  variantOnly?: true;
  open(request: DatasetRequest): Promise<Dataset>;
}
