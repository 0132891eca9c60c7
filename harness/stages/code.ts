/** Which code decides what a stage leaves: its own, and that of the plug-ins and libraries that it works with. */
import type { Dataset } from '../contracts.js';
import { BenchError } from '../errors.js';
import { type Code, codeOf, graphOfThisBuild } from '../program/code.js';
import type { EngineName } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';

/** What a stage works with; each is a module of its own, which the stage does not import by name. */
export interface WorkedWith {
  dataset?: Pick<Dataset, 'name'> | undefined;
  architecture?: { familyName: string; poolingName?: string } | undefined;
  /** By its file name, see `EncoderShape.kind`. */
  encoder?: string | undefined;
  /** A model taken as it was published. */
  published?: true | undefined;
  /** The same, which weighs tokens. */
  sparse?: true | undefined;
  engine?: { name: string } | undefined;
  /** In what is trained or encoded, see `usualPrecision`. */
  precision?: string | undefined;
  /** Names of measures: `ndcg`. */
  measures?: readonly string[];
  /** What builds indexes and computes scores, by name; several where a budget decides which. */
  searcher?: string | readonly string[] | undefined;
}

const engineFiles: Readonly<Record<EngineName, string>> = {
  onnx: 'harness/tensor/onnx/engine.js',
  tensorflow: 'harness/tensor/tensorflow.js',
  'tfjs-cpu': 'harness/tensor/eager.js',
};

/**
 * The files in which a stage computes; what they import computes with them, and nothing else does. Whatever is
 * imported as a type alone and computes all the same stands here too, or is worked with.
 */
const stageFiles = {
  /** What a dataset has found out about its files. */
  dataset: [],
  /** Which passages are added to a collection. */
  distractors: ['pipeline/distractors/choose', 'pipeline/distractors/passage-file'],
  model: ['stages/scratch-model'],
  train: ['stages/train'],
  encode: ['stages/encode', 'pipeline/checkpoint'],
  'grown shards': ['stages/grown-shards'],
  index: ['stages/index-vectors'],
  queries: ['stages/queries', 'pipeline/checkpoint'],
  search: ['stages/search', 'pipeline/searching'],
  recall: ['stages/recall'],
  mine: ['stages/mine'],
  'dev winners': ['stages/dev-winners'],
  'sparse encode': ['stages/encode', 'stages/encode-weights'],
  'sparse queries': ['stages/query-weights'],
  'sparse index': ['stages/index-impacts'],
  'sparse search': ['stages/search-impacts'],
  'bm25 index': ['stages/index-terms'],
  'bm25 search': ['stages/search-terms'],
  'bm25 negatives': ['stages/bm25-negatives'],
  'given vectors': ['stages/given-vectors'],
  'endpoint vectors': ['stages/endpoint-vectors'],
  'given run': ['stages/given-run'],
  fuse: ['stages/fuse'],
  rerank: ['stages/rerank'],
  'passage texts': ['stages/passage-texts'],
  'rerank pairs': ['stages/rerank-pairs', 'pipeline/published-cross'],
  /** In no key: measuring takes seconds, and is done anew. */
  measure: ['pipeline/run-of-hits', 'pipeline/measure-stage', 'pipeline/winners'],
} as const satisfies Record<string, readonly string[]>;

/** A stage of the table, or the file of a system that has a stage of its own: `harness/systems/first`. */
export type StageOf = keyof typeof stageFiles | `harness/systems/${string}`;
export const stages = Object.keys(stageFiles) as (keyof typeof stageFiles)[];

/** @throws BenchError PLUGIN_INVALID where a system's stage names a file that is not there */
function systemFile(stage: string): string {
  const file = `${stage}.js`;
  if (graphOfThisBuild()[file] !== undefined) return file;
  throw new BenchError(
    'PLUGIN_INVALID',
    `A stage of a system names the code of ${stage}.ts, which is not there.`,
    { hint: 'It names its own file, as the skeleton in docs/extend.md does.' },
  );
}

export function stageCode(stage: StageOf, workedWith: WorkedWith): Code {
  return codeOf(entriesOf(stage, workedWith));
}

/** Paths in the build. */
export function entriesOf(
  stage: StageOf,
  {
    dataset,
    architecture,
    encoder,
    published,
    sparse,
    engine,
    precision,
    searcher = [],
    measures = [],
  }: WorkedWith,
): string[] {
  return [
    ...(stage in stageFiles
      ? stageFiles[stage as keyof typeof stageFiles].map((file) => `harness/${file}.js`)
      : [systemFile(stage)]),
    // A dataset's variants and collections are one plug-in, and so is one that passages were added to.
    ...(dataset === undefined ? [] : [`datasets/${dataset.name.split(/[/: ]/)[0]!}.js`]),
    ...(architecture === undefined ? [] : architectureFiles(architecture)),
    ...(encoder === undefined ? [] : [`harness/encoders/${encoder}.js`]),
    ...(published === undefined ? [] : ['harness/pipeline/published-model.js']),
    ...(sparse === undefined ? [] : ['harness/pipeline/sparse-model.js']),
    ...(engine === undefined ? [] : [engineFiles[engine.name as EngineName]]),
    ...(precision === undefined || precision === usualPrecision
      ? []
      : [`harness/precisions/${precision}.js`]),
    ...measures.map((measure) => `harness/metrics/measures/${measure}.js`),
    ...[searcher].flat().map((name) => `harness/searchers/${name}.js`),
  ];
}

function architectureFiles({ familyName, poolingName }: NonNullable<WorkedWith['architecture']>): string[] {
  const family = `architectures/${familyName}.js`;
  return poolingName === undefined ? [family] : [family, `architectures/pooling/${poolingName}.js`];
}
