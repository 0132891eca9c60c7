/** Options that more than one subcommand takes. */
import type { Option } from './command.js';

/** What can be set by a flag of its own: see `flagKeys` in config/sources.ts, whose keys these are, and the file; the store is the process's. */
export const configOptions: Readonly<Record<string, Option>> = {
  seeds: { type: 'text', describe: 'seeds, one run for each: 1,2,3' },
  model: {
    type: 'text',
    describe:
      "'scratch', a checkpoint's folder, or an id on the Hugging Face hub (OWNER/NAME, OWNER/NAME@REVISION)",
  },
  preset: {
    type: 'text',
    describe: "named settings, 'bench list presets'; several by comma, the later above the earlier",
  },
  stages: { type: 'text', describe: 'trainings: 2 mines hard negatives with the first and trains again' },
  engine: { type: 'text', describe: "what runs the model, 'bench list engines'" },
  device: {
    type: 'text',
    describe: "what it runs on: cpu, webgpu, cuda; 'auto', the default, is a GPU that works, else cpu",
  },
  searcher: { type: 'text', describe: "what searches the index, 'bench list searchers'" },
  index: {
    type: 'text',
    describe:
      "kind of index: HNSW32, 'HNSW32,i8', with FAISS 'IVF64,Flat', SQ8; smaller vectors: cut, int8, binary; Flat, the default, and bounds are exact",
  },
  measures: { type: 'text', describe: "what is measured, 'bench list measures'" },
  threads: { type: 'text', describe: 'threads to compute with; all cores where absent' },
  cache: { type: 'text', describe: 'folder of downloads, checkpoints, shards and indexes' },
  store: {
    type: 'text',
    describe:
      's3://BUCKET/PREFIX behind the cache: what lies there is fetched and not made, what is made is put there; BENCH_STORE where absent',
  },
  out: { type: 'text', describe: 'folder of run records' },
  keep: { type: 'text', describe: 'what stays in the cache once runs are recorded: all, indexes, records' },
  config: { type: 'text', describe: 'configuration file; bench.config.json of this folder where absent' },
  set: { type: 'texts', describe: 'one setting, such as train.epochs=3; may be given several times' },
};

/** Which dataset, and where it lies. */
export const datasetOptions: Readonly<Record<string, Option>> = {
  dataset: { type: 'text', describe: "dataset, 'bench list datasets'", required: true },
  data: { type: 'text', describe: 'folder that holds the dataset; nothing is downloaded then' },
  offline: { type: 'switch', describe: 'never use the network; say what is missing' },
};

/** Which artifacts of the cache are made anew; damaged ones are refused where it is absent. */
export const anewOptions: Readonly<Record<string, Option>> = {
  fresh: { type: 'switch', describe: 'make everything anew, whatever is in the cache; downloads stay' },
  repair: { type: 'switch', describe: 'make anew what is found damaged in the cache' },
};

export const noWaitOption: Option = {
  type: 'switch',
  describe:
    'end with LOCKED, exit code 3, where another process makes what is needed; bench waits for it otherwise',
};

/** Of a command that makes artifacts. */
export const makingOptions: Readonly<Record<string, Option>> = { 'no-wait': noWaitOption, ...anewOptions };

/** What a training begins with and learns from. */
export const trainingOptions: Readonly<Record<string, Option>> = {
  init: { type: 'text', describe: 'folder of a trained checkpoint to start from, instead of --model' },
  negatives: {
    type: 'text',
    describe:
      "where hard negatives come from: 'dataset', 'bm25', files that bench mine wrote or DPR published (biencoder-nq-adv-hn-train.json.gz); several by comma. A file that names positives adds examples behind the original ones, which are left out where no other source is named",
  },
};

export const sliceOption: Option = {
  type: 'text',
  describe:
    'file of slices, QUERY<TAB>SLICE a line: what is compared on all queries is compared on each slice too',
};

/** The options of a command that takes only some of those that can be set. */
export function someOptions(...names: readonly string[]): Readonly<Record<string, Option>> {
  return Object.fromEntries(names.map((name) => [name, configOptions[name]!]));
}

/** Who does the work of a single stage: see `whoOf` in request.ts. */
export const whoOptions: Readonly<Record<string, Option>> = {
  checkpoint: { type: 'text', describe: 'folder of a trained checkpoint, as bench train prints it' },
  arch: {
    type: 'text',
    describe:
      "instead of a checkpoint, a system that needs none: pretrained:FOLDER-OR-HUB-ID, sparse:FOLDER-OR-HUB-ID, vectors:FOLDER, endpoint:URL, run:FILE, bm25, fuse:A+B, 'rerank:A>B', 'rerank:A>cross:MODEL'; beside one, the architecture that it should be of",
  },
};
