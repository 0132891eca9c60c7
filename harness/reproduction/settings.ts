/** The settings of one row in one group of columns, layer upon layer: what the grid decides and what the machine does. */
import {
  type BenchConfig,
  type ConfigPart,
  defaultConfig,
  loadConfig,
  type Source,
  withPresets,
} from '../config/config.js';
import { isOfMachine } from '../config/deciding.js';
import { BenchError, unknownName } from '../errors.js';
import { scaleLayers } from '../model/layer-choice.js';
import { presets } from '../presets.js';
import type { LoadedReproduction } from './files.js';
import type { ColumnGroup, Row, Scale } from './reproduction.js';

/** What the command line says about settings; it stands above the grid. */
export interface UserSettings {
  /** The configuration file. */
  file?: string;
  cwd: string;
  flags: Readonly<Record<string, unknown>>;
  set: readonly string[];
}

/**
 * @param dataset that is trained on or evaluated: presets may have settings of their own there
 * @throws BenchError CONFIG_INVALID that names the file at fault, or the flag
 */
export function configOf(
  { name, reproduction }: LoadedReproduction,
  row: Row,
  group: ColumnGroup,
  dataset: string,
  scale: Scale,
  user: UserSettings,
): BenchConfig {
  const source = (settings: unknown): Source => ({ name: `${name}, ${row.label}`, settings });
  const own = [reproduction.settings, group.settings, row.settings, row.settingsIn?.[group.label]];
  // All of the table's, so that a run which fills one group and trains for another is one run.
  const measures = [
    ...new Set(reproduction.groups.flatMap(({ columns }) => columns.flatMap(({ measure }) => measure ?? []))),
  ];
  // Where every column shows a fact, the usual ones.
  const measured = (ids: readonly string[]) => source(ids.length === 0 ? {} : { measures: ids });
  const papers = row.presets ?? reproduction.presets;
  const names = scale === 'small' ? ['small'] : papers;
  const fixed =
    scale === 'paper'
      ? [
          ...own.map((settings) => source(settings ?? {})),
          measured(measures),
          // Above the presets, which have a seed of their own for runs that name none.
          source({ seeds: row.seeds ?? reproduction.seeds }),
        ]
      : [
          source({ arch: { lambda: presetConfig(papers, group.dataset).arch.lambda } }),
          ...own.map((settings) => source(structure(settings ?? {}))),
          measured(measures.flatMap((id) => [id, ...twinOf(id)])),
          source({ seeds: [reproduction.seeds[0]!] }),
          source(reproduction.small.settings),
        ];
  const given = { cwd: user.cwd, flags: user.flags, set: user.set, ...(user.file && { file: user.file }) };
  const config = loadConfig({ ...given, dataset, fixed: [decidingSettings(names, dataset), ...fixed] });
  if (scale === 'small' && config.model.name !== 'scratch') {
    throw new BenchError(
      'CONFIG_INVALID',
      `model.name: ${config.model.name} has no place at the scale small.`,
      { hint: 'It trains a model with random weights; its size is model.scratch.*.' },
    );
  }
  const depth = scale === 'paper' ? reproduction.encoder.layers : config.model.scratch.layers;
  const { layers } = config.arch;
  if (Array.isArray(layers) && depth !== reproduction.encoder.layers) {
    config.arch.layers = scaleLayers(layers, depth);
  }
  return config;
}

/** Defaults and presets of everything that decides figures, so that a configuration file changes none of them. */
function decidingSettings(names: readonly string[], dataset: string): Source {
  const all = { ...presetConfig(names, dataset), preset: names };
  return { name: `presets ${names}`, settings: withoutMachine(all) };
}

/** Without the settings that say how a machine does the work: the configuration file keeps its say in these. */
function withoutMachine(section: object, prefix = ''): object {
  const kept = Object.entries(section).filter(([key]) => !isOfMachine(prefix + key));
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? withoutMachine(value, `${prefix}${key}.`)
        : value,
    ]),
  );
}

/** @throws BenchError UNKNOWN_NAME with a near name */
function presetConfig(names: readonly string[], dataset: string): BenchConfig {
  const unknown = names.find((name) => !Object.hasOwn(presets, name));
  if (unknown !== undefined) throw unknownName('preset', unknown, Object.keys(presets));
  const defaults = defaultConfig();
  return withPresets(defaults, names, { dataset, stages: defaults.stages });
}

/** What makes one row differ from another whatever the model: a small model takes these and no learning rate. */
function structure({ arch, stages, train, bm25 }: ConfigPart): ConfigPart {
  return {
    ...(arch && { arch }),
    ...(stages && { stages }),
    ...(bm25 && { bm25 }),
    ...(train?.checkpoint && { train: { checkpoint: train.checkpoint } }),
  };
}

/** Top-k by qrels, which stands in for top-k by answers where a dataset's queries have none. */
export function twinOf(measure: string): string[] {
  return measure.startsWith('answer@') ? [measure.replace('answer', 'success')] : [];
}
