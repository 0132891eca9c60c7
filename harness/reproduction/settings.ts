/** The settings of one row in one group of columns, layer upon layer: what the grid decides and what the machine does. */
import {
  type BenchConfig,
  type ConfigPart,
  defaultConfig,
  loadConfig,
  type Source,
} from '../config/config.js';
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

/** Keys that say how a machine does the work: the configuration file keeps its say in these alone. */
const machineKeys = ['engine', 'searcher', 'threads', 'cache', 'out', 'keep', 'encode', 'latency', 'check'];

/** @throws BenchError CONFIG_INVALID that names the file at fault, or the flag */
export function configOf(
  { name, reproduction }: LoadedReproduction,
  row: Row,
  group: ColumnGroup,
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
  const fixed =
    scale === 'paper'
      ? [
          ...presetSources(row.presets ?? reproduction.presets),
          ...own.map((settings) => source(settings ?? {})),
          measured(measures),
          // Above the presets, which have a seed of their own for runs that name none.
          source({ seeds: row.seeds ?? reproduction.seeds }),
        ]
      : [
          ...presetSources(['small']),
          ...own.map((settings) => source(structure(settings ?? {}))),
          measured(measures.flatMap((id) => [id, ...twinOf(id)])),
          source({ seeds: [reproduction.seeds[0]!] }),
          source(reproduction.small.settings),
        ];
  const given = { cwd: user.cwd, flags: user.flags, set: user.set, ...(user.file && { file: user.file }) };
  const config = loadConfig({ ...given, fixed: [decidingDefaults(), ...fixed] });
  if (scale === 'small' && config.model.name !== 'scratch') {
    throw new BenchError(
      'CONFIG_INVALID',
      `model.name: ${config.model.name} has no place at the scale small.`,
      {
        hint: 'It trains a model with random weights; its size is model.scratch.*.',
      },
    );
  }
  const depth = scale === 'paper' ? reproduction.encoder.layers : config.model.scratch.layers;
  const { layers } = config.arch;
  if (Array.isArray(layers) && depth !== reproduction.encoder.layers) {
    config.arch.layers = scaleLayers(layers, depth);
  }
  return config;
}

/** The defaults of everything that decides figures, so that a configuration file changes none of them. */
function decidingDefaults(): Source {
  const deciding = Object.entries(defaultConfig()).filter(([key]) => !machineKeys.includes(key));
  return { name: 'defaults', settings: Object.fromEntries(deciding) };
}

function presetSources(names: readonly string[]): Source[] {
  return names.map((preset) => {
    if (!Object.hasOwn(presets, preset)) throw unknownName('preset', preset, Object.keys(presets));
    return { name: `preset ${preset}`, settings: { ...presets[preset]!.settings, preset } };
  });
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
