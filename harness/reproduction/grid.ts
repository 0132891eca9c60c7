/** From a reproduction to runs: which entries are filled by which, each run once. */
import { BenchError, unknownName } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { datasetsNamed } from '../plugins.js';
import { loadSystem } from '../systems.js';
import type { LoadedReproduction } from './files.js';
import type { ColumnGroup, Row, Scale } from './reproduction.js';
import { configOf, type UserSettings } from './settings.js';

export interface GridOptions extends UserSettings {
  scale: Scale;
  /** At the scale small: the dataset that stands for all. */
  dataset: string;
  /** Folders by dataset name. */
  folders: ReadonlyMap<string, string>;
  /** Folders by the name of a model of the grid. */
  models: ReadonlyMap<string, string>;
  offline: boolean;
  /** As in a request: what is in the cache is made anew. */
  anew?: RunRequest['anew'];
}

/** One run, and the run whose trained checkpoint it evaluates instead of training. */
export interface GridRun {
  /** Two runs of one key are the same. */
  key: string;
  request: RunRequest;
  after?: GridRun;
  /** No entry shows it: it is trained for the runs after it, and nothing of its own collection is encoded or searched. */
  trainsOnly?: true;
  /** Its dataset is opened and counted; nothing is run, and its architecture has no name. */
  counts?: true;
}

/** The columns of one group in one row: the mean over these runs, seed by seed. */
export interface GridEntry {
  row: Row;
  group: ColumnGroup;
  /** By seed, one run for each dataset that the group's name stands for. */
  seeds: readonly { seed: number; runs: readonly GridRun[] }[];
}

export interface Grid {
  loaded: LoadedReproduction;
  scale: Scale;
  /** Those shown. */
  groups: readonly ColumnGroup[];
  rows: readonly Row[];
  entries: readonly GridEntry[];
  /** Every run once, trainings first. */
  runs: readonly GridRun[];
  /** Rows that are the same run at this scale. */
  coincidences: readonly (readonly string[])[];
}

/** @throws BenchError CONFIG_INVALID, UNKNOWN_NAME for what the grid or the command line names wrongly */
export async function gridOf(loaded: LoadedReproduction, options: GridOptions): Promise<Grid> {
  const { reproduction } = loaded;
  const { scale } = options;
  const groups = scale === 'paper' ? reproduction.groups : [smallGroup(loaded)];
  const rows = reproduction.rows.filter(
    (row) => (row.scales?.includes(scale) ?? true) && groups.some((group) => isIn(row, group)),
  );
  const entries: GridEntry[] = [];
  await assertNamed(loaded, groups, rows, options);
  for (const row of rows) {
    for (const group of groups) {
      if (!isIn(row, group)) continue;
      if (row.counts) entries.push(await countedEntry(loaded, row, group, options));
      if (row.architecture !== undefined) entries.push(await entryOf(loaded, row, group, options));
    }
  }
  const runs = new Map<string, GridRun>();
  const all = entries.flatMap(({ seeds }) => seeds.flatMap((each) => each.runs));
  const shown = new Set(all.map(({ key }) => key));
  for (const run of [...all.flatMap(({ after }) => after ?? []), ...all]) {
    if (!runs.has(run.key)) runs.set(run.key, shown.has(run.key) ? run : { ...run, trainsOnly: true });
  }
  return {
    loaded,
    scale,
    groups,
    rows,
    entries,
    runs: [...runs.values()],
    coincidences: coincidences(entries),
  };
}

/** The group that stands for all at the scale small. */
function smallGroup({ reproduction: { groups, small } }: LoadedReproduction): ColumnGroup {
  return groups.find(({ label }) => label === small.group) ?? groups[0]!;
}

const isIn = (row: Row, { label }: ColumnGroup) => row.groups?.includes(label) ?? true;

async function entryOf(
  loaded: LoadedReproduction,
  row: Row,
  group: ColumnGroup,
  options: GridOptions,
): Promise<GridEntry> {
  const { scale, folders, models, offline, anew } = options;
  const trainOn = scale === 'paper' ? (loaded.reproduction.trainOn ?? group.dataset) : options.dataset;
  const evaluated = scale === 'paper' ? group.dataset : options.dataset;
  const configOn = (dataset: string) => {
    const config = configOf(loaded, row, group, dataset, scale, options);
    const folder = models.get(config.model.name);
    if (folder !== undefined) config.model.name = folder;
    // A checkpoint that other runs are to evaluate has to outlive the run that trained it.
    const isTrainedForOthers = scale === 'paper' && loaded.reproduction.trainOn !== undefined;
    if (isTrainedForOthers && config.keep === 'records') config.keep = 'indexes';
    return config;
  };
  const members = await datasetsNamed(evaluated);
  const { isTrained } = await loadSystem(row.architecture!);
  if (members.length > 1 && trainOn === evaluated && isTrained) {
    throw new BenchError(
      'CONFIG_INVALID',
      `${trainOn} stands for ${members.length} datasets, and one has to be trained on.`,
      { hint: `Name one: ${members[0]}` },
    );
  }
  const runOf = (dataset: string, seed: number, after?: GridRun): GridRun => {
    // A group's folder holds its members, and not the other dataset that the grid trains on.
    const data = folders.get(dataset) ?? (members.includes(dataset) ? folders.get(evaluated) : undefined);
    const config = configOn(dataset);
    const own = after === undefined ? config : withoutTraining(config);
    const request: RunRequest = {
      architecture: row.architecture!,
      dataset,
      seed,
      config: own,
      offline,
      ...(anew && { anew }),
      ...(data !== undefined && { data }),
    };
    const key = JSON.stringify([request.architecture, dataset, seed, own, after?.key]);
    return { key, request, ...(after && { after }) };
  };
  const seeds = configOn(trainOn).seeds.map((seed) => {
    if (!isTrained) return { seed, runs: members.map((dataset) => runOf(dataset, seed)) };
    if (members.length === 1 && members[0] === trainOn) return { seed, runs: [runOf(trainOn, seed)] };
    // Trained where the grid says, with the settings of this group, then evaluated here.
    const training = runOf(trainOn, seed);
    return { seed, runs: members.map((dataset) => runOf(dataset, seed, training)) };
  });
  return { row, group, seeds };
}

/** An entry whose datasets are counted: one run for each, whatever the seeds. */
async function countedEntry(
  loaded: LoadedReproduction,
  row: Row,
  group: ColumnGroup,
  options: GridOptions,
): Promise<GridEntry> {
  const { scale, folders, offline } = options;
  const named = scale === 'paper' ? group.dataset : options.dataset;
  const config = configOf(loaded, row, group, named, scale, options);
  const seed = config.seeds[0]!;
  const runs = (await datasetsNamed(named)).map((dataset): GridRun => {
    const data = folders.get(dataset) ?? folders.get(named);
    const request = {
      ...{ architecture: '', dataset, seed, config, offline },
      ...(data !== undefined && { data }),
    };
    return { key: JSON.stringify(['counts', dataset]), request, counts: true };
  });
  return { row, group, seeds: [{ seed, runs }] };
}

/** A folder under a name that the grid does not have would be left unused. @throws BenchError UNKNOWN_NAME */
async function assertNamed(
  loaded: LoadedReproduction,
  groups: readonly ColumnGroup[],
  rows: readonly Row[],
  options: GridOptions,
): Promise<void> {
  const { scale, dataset, folders, models } = options;
  const { trainOn } = loaded.reproduction;
  const datasets = new Set(scale === 'small' ? [dataset] : trainOn === undefined ? [] : [trainOn]);
  const modelNames = new Set<string>();
  for (const group of groups) {
    if (scale === 'paper') datasets.add(group.dataset);
    for (const row of rows) {
      if (row.architecture !== undefined && isIn(row, group))
        modelNames.add(configOf(loaded, row, group, group.dataset, scale, options).model.name);
    }
  }
  for (const name of [...datasets]) for (const member of await datasetsNamed(name)) datasets.add(member);
  for (const name of folders.keys())
    if (!datasets.has(name)) throw unknownName('dataset of this grid', name, [...datasets]);
  for (const name of models.keys())
    if (!modelNames.has(name)) throw unknownName('model of this grid', name, [...modelNames]);
}

/** What evaluates a trained checkpoint as it is. */
function withoutTraining(config: RunRequest['config']): RunRequest['config'] {
  return { ...config, stages: 1, train: { ...config.train, epochs: 0, negatives: 0 } };
}

/** Labels of rows whose runs are the same in every group. */
function coincidences(entries: readonly GridEntry[]): string[][] {
  const labels = new Map<string, string[]>();
  for (const row of new Set(entries.map((entry) => entry.row))) {
    const keys = entries
      .filter((entry) => entry.row === row)
      .flatMap(({ seeds }) => seeds.flatMap(({ runs }) => runs.map(({ key }) => key)));
    const key = JSON.stringify(keys);
    labels.set(key, [...(labels.get(key) ?? []), row.label]);
  }
  return [...labels.values()].filter((same) => same.length > 1);
}
