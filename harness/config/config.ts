/** Loads the configuration of a run: defaults < presets < file < what a grid fixes < flags. */
import { usualPresets } from '../presets.js';
import { p99Missing, samplesForP99 } from '../statistics/percentile-samples.js';
import type { BenchConfig, ConfigPart } from './bench-config.js';
import { parameterKey, parametersAsked } from './index-parameters.js';
import { merge, withPresets } from './preset-layers.js';
import { problemsOf, refuse } from './problems.js';
import { defaultConfig } from './schema.js';
import { assignment, flagSources, readConfigFile, type Source } from './sources.js';

export type * from './bench-config.js';
export { secondTraining, withPresets } from './preset-layers.js';
export type { Source } from './sources.js';
export { defaultConfig };

export interface ConfigRequest {
  /** The file given by `--config`; bench.config.json of the working folder where absent. */
  file?: string;
  /** The working folder. */
  cwd: string;
  /** The dataset that it is for, `dpr/trivia`: presets may have settings of their own there. */
  dataset?: string | undefined;
  /** Settings that stand above the file and below the flags, the later above the earlier: those of a fixed grid. */
  fixed?: readonly Source[];
  /** Values of the flags of the command line that have a flag (`flagKeys` in sources.ts), as typed; those not given are undefined. Other members are ignored. */
  flags?: Readonly<Record<string, unknown>>;
  /** Texts `key=value`; of two for one key the later holds, and all of them stand above `flags`. */
  set?: readonly string[];
}

/**
 * The whole configuration, every key filled in.
 * @throws BenchError CONFIG_INVALID with all mistakes at once, PATH_INVALID, USAGE
 */
export function loadConfig(request: ConfigRequest): BenchConfig {
  const { file, cwd, dataset, fixed = [], flags = {}, set = [] } = request;
  const fromFile = readConfigFile(cwd, file);
  const sources: Source[] = [
    ...(fromFile === undefined ? [] : [fromFile]),
    ...fixed,
    ...flagSources(flags),
    ...set.map((text) => assignment(text)),
  ];
  refuse(sources.flatMap(problemsOf));
  const given = sources.reduce<ConfigPart>((sum, { settings }) => merge(sum, settings as ConfigPart), {});

  const defaults = defaultConfig();
  const stages = given.stages ?? defaults.stages;
  const preset = [given.preset ?? usualPresets(given.model?.name ?? defaults.model.name, stages)].flat();
  const usual = withPresets(defaults, preset, { dataset, stages });
  const { $schema: _, ...config } = merge(usual, given) as BenchConfig & { $schema?: string };
  config.preset = preset;

  // What the device has is said to be made use of.
  if (given.train?.chunkSize === undefined && config.deviceMemoryMiB !== null && config.device !== 'cpu')
    config.train.chunkSize = 'fitting';
  const { chunkSize } = config.train;
  // A chunk that nobody asked for must not stand in the way of a small batch, which needs no cache.
  if (given.train?.chunkSize === undefined && Number(chunkSize) >= passagesOf(config)) {
    config.train.chunkSize = null;
  }
  refuse(contradictions(config));
  return config;
}

/** Whether the chunk is the one of its presets, or what takes its place: then nobody asked for another. @param dataset as `ConfigRequest` names it */
export function hasUsualChunk(config: BenchConfig, dataset?: string): boolean {
  const { model, stages } = config;
  const { chunkSize } = config.train;
  const preset = [config.preset ?? usualPresets(model.name, stages)].flat();
  const { train } = withPresets(defaultConfig(), preset, { dataset, stages });
  const isLeftOut = chunkSize === null && Number(train.chunkSize) >= passagesOf(config);
  return chunkSize === 'fitting' || chunkSize === train.chunkSize || isLeftOut;
}

/** Passages of a batch. */
const passagesOf = ({ train }: BenchConfig) => train.batchSize * (1 + train.negatives);

/** What is wrong with values that are each right on their own. */
function contradictions(config: BenchConfig): string[] {
  const { train, model, measures, search } = config;
  const problems: string[] = [];
  if (typeof train.chunkSize === 'number' && train.chunkSize > passagesOf(config)) {
    problems.push(
      `train.chunkSize: ${train.chunkSize} texts are more than a batch has, which is ${passagesOf(config)} passages (train.batchSize ${train.batchSize}, train.negatives ${train.negatives}); a chunk is a part of a batch`,
    );
  }
  problems.push(...teacherProblems(config));
  const { dimensions, heads } = model.scratch;
  if (dimensions % heads !== 0) {
    problems.push(
      `model.scratch.dimensions: ${dimensions} is not a multiple of model.scratch.heads, which is ${heads}`,
    );
  }
  for (const [i, measure] of measures.entries()) {
    const cutoff = Number(/@(\d+)$/.exec(measure)?.[1] ?? 0);
    if (cutoff > search.depth) {
      problems.push(
        `measures[${i}]: "${measure}" needs ${cutoff} hits per query, but search.depth is ${search.depth}`,
      );
    }
  }
  return [...problems, ...indexProblems(config), ...loadProblems(config)];
}

function loadProblems({ latency: { bound, loadQueries } }: BenchConfig): string[] {
  if (bound === null || p99Missing(loadQueries) === undefined) return [];
  return [
    `latency.loadQueries: ${loadQueries}, and latency.bound is ${bound}: p99 takes ${samplesForP99.toLocaleString('en-US')} queries at every rate that is tried`,
  ];
}

function teacherProblems({ train, stages }: BenchConfig): string[] {
  const { scores, missing } = train.teacher;
  if (scores === null) return [];
  const problems: string[] = [];
  if (train.negatives === 0)
    problems.push(
      `train.teacher.scores: "${scores}" scores a query's own passages, and train.negatives is 0: there is only one`,
    );
  if (stages === 2 && missing === 'refused')
    problems.push(
      'train.teacher.missing: "refused", and stages is 2: what the first stage mines has no scores yet; mine, score and train again with --negatives',
    );
  return problems;
}

function indexProblems({ index }: BenchConfig): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(index.parameters)) {
    const key = parameterKey(name);
    if (key === `index.${name}`) problems.push(`index.parameters.${name}: this one is ${key}`);
  }
  const given = parametersAsked(index).map(({ key }) => key);
  if (given.length > 1) {
    problems.push(`${given.join(' and ')}: an index has one of these; leave the others out`);
  }
  if (index.kind === 'Flat' && given.length > 0) {
    problems.push(`${given[0]}: index.kind is "Flat", which is exact and has no search parameter`);
  }
  return problems;
}

/** The presets of a configuration as --preset takes them; null where there are none. */
export function presetText({ preset }: Pick<BenchConfig, 'preset'>): string | null {
  return [preset ?? []].flat().join() || null;
}
