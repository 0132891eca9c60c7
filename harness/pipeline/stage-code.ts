/** Which code decides what a stage leaves: its own, and that of the plug-ins and libraries that it works with. */
import type { Dataset } from '../contracts.js';
import { type Code, codeOf } from '../program/code.js';
import type { Engine, EngineName } from '../tensor/engine.js';

/** What a stage works with; each is a module of its own, which the stage does not import by name. */
export interface WorkedWith {
  dataset?: Pick<Dataset, 'name'>;
  architecture?: { familyName: string; poolingName?: string };
  /** A model taken as it was published. */
  published?: true;
  engine?: Pick<Engine, 'name'>;
  /** Names of measures: `ndcg`. */
  measures?: readonly string[];
  /** What builds indexes and computes scores, by name. */
  searcher?: string;
}

const engineFiles: Readonly<Record<EngineName, string>> = {
  onnx: 'harness/tensor/onnx/engine.js',
  tensorflow: 'harness/tensor/tensorflow.js',
  'tfjs-cpu': 'harness/tensor/eager.js',
};

/**
 * The files of this room in which a stage computes; what they import computes with them, and nothing else does. Whatever is
 * imported as a type alone and computes all the same stands here too, or is worked with.
 */
const stageFiles = {
  /** What a dataset has found out about its files. */
  dataset: [],
  model: ['scratch-model'],
  train: ['train-stage'],
  encode: ['encode-stage', 'checkpoint'],
  index: ['index-stage'],
  queries: ['query-stage', 'checkpoint'],
  search: ['search-stage', 'searching'],
  recall: ['recall-stage', 'searching'],
  mine: ['mine-stage'],
  'dev winners': ['dev-winners', 'searching'],
  'bm25 index': ['sparse-index'],
  'bm25 search': ['sparse-search', 'open-sparse'],
  'bm25 negatives': ['bm25-negatives'],
  /** In no key: measuring takes seconds, and is done anew. */
  measure: ['run-of-hits', 'measure-stage', 'winners'],
} as const satisfies Record<string, readonly string[]>;

export type Stage = keyof typeof stageFiles;
export const stages = Object.keys(stageFiles) as Stage[];

export function stageCode(stage: Stage, workedWith: WorkedWith): Code {
  return codeOf(entriesOf(stage, workedWith));
}

/** Paths in the build. */
export function entriesOf(
  stage: Stage,
  { dataset, architecture, published, engine, searcher, measures = [] }: WorkedWith,
): string[] {
  return [
    ...stageFiles[stage].map((file) => `harness/pipeline/${file}.js`),
    // A dataset's variants and collections are one plug-in.
    ...(dataset === undefined ? [] : [`datasets/${dataset.name.split(/[/:]/)[0]!}.js`]),
    ...(architecture === undefined ? [] : architectureFiles(architecture)),
    ...(published === undefined ? [] : ['harness/pipeline/published-model.js']),
    ...(engine === undefined ? [] : [engineFiles[engine.name]]),
    ...measures.map((measure) => `harness/metrics/measures/${measure}.js`),
    ...(searcher === undefined ? [] : [`harness/searchers/${searcher}.js`]),
  ];
}

function architectureFiles({ familyName, poolingName }: NonNullable<WorkedWith['architecture']>): string[] {
  const family = `architectures/${familyName}.js`;
  return poolingName === undefined ? [family] : [family, `architectures/pooling/${poolingName}.js`];
}
