/** The runs that a command line asks for: one per architecture, dataset, number of distractors and seed. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { datasetsNamed } from '../plugins.js';
import { storeInUse } from '../store/remote/address.js';
import { allSystems, listSystems } from '../systems.js';
import { type Command, splitList, type Values } from './command.js';
import { distractorOptions, distractorsOf } from './distractors.js';
import { refuseIdle, refuseOtherMethod, refuseStart } from './idle-options.js';
import { configOptions, datasetOptions, trainingOptions } from './options.js';
import { anewOf, dataFolders, systemsIn, systemsNamed, trainingStart } from './request.js';

/** What a sweep is asked for with. */
export const sweepOptions: Command['options'] = {
  arch: {
    type: 'text',
    describe:
      "systems, 'bench list systems', or all of 'bench list architectures': all; pretrained:FOLDER-OR-HUB-ID for a published model, sparse:FOLDER-OR-HUB-ID for one that weighs tokens, vectors:FOLDER and endpoint:URL for vectors made elsewhere, run:FILE for hits; fuse:A+B and 'rerank:A>B' of such systems, and 'rerank:A>cross:MODEL' for a published cross-encoder",
    required: true,
  },
  dataset: { type: 'text', describe: "datasets, 'bench list datasets'", required: true },
  data: {
    type: 'texts',
    describe: 'folder that holds the dataset, or DATASET=FOLDER, several times; nothing is downloaded then',
  },
  ...distractorOptions,
  ...configOptions,
  ...trainingOptions,
  offline: datasetOptions.offline!,
};

/** One request per architecture, dataset, number of distractors and seed; every name is looked up before any work begins. */
export async function requestsOf(values: Values): Promise<RunRequest[]> {
  const named = await systemsIn(values);
  const all = named.includes(allSystems) ? (await listSystems()).map(({ name }) => name) : [];
  // Systems that no list has, such as files of hits, may stand beside all that it has.
  const architectures = [...new Set(named.flatMap((name) => (name === allSystems ? all : [name])))];
  const datasets = splitList('dataset', String(values.dataset));
  const { configOn, ...start } = await trainingStart(values);
  const anew = anewOf(values);
  const systems = await systemsNamed(architectures);
  refuseStart(start, systems);
  // A name that stands for several datasets is a run on each of them.
  const groups = new Map<string, string>();
  for (const group of datasets) for (const member of await datasetsNamed(group)) groups.set(member, group);
  const sizes = await distractorsOf(values);
  const folderOf = dataFolders(values.data, [...groups.keys(), ...datasets]);
  const requests = [...groups].flatMap(([dataset, group]) => {
    const folder = folderOf(dataset, group);
    const config = configOn(dataset);
    return sizes.flatMap((distractors) =>
      architectures.flatMap((architecture) =>
        config.seeds.map((seed) => ({
          architecture,
          dataset,
          seed,
          ...(folder !== undefined && { data: folder }),
          ...(distractors !== undefined && { distractors }),
          ...start,
          offline: values.offline === true,
          ...anew,
          config,
        })),
      ),
    );
  });
  // Behind the configuration, which says what is wrong with a name or a value.
  refuseIdle(values, systems);
  for (const { config } of requests) refuseOtherMethod(values, config.fuse);
  return requests;
}

/** What one removes another may still need. */
export function assertKeeps(requests: readonly RunRequest[]): void {
  const { keep } = requests[0]!.config;
  // Of a store on a server nothing is removed: each machine may let go of its own copies.
  if (keep === 'all' || storeInUse() !== undefined) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `keep is ${keep}, and machines that share a cache keep everything.`,
    { hint: "Give --keep all, and bench run with your own --keep after, or 'bench cache prune'." },
  );
}

/** @throws BenchError USAGE */
export function assertMakesNothingAnew(values: Values): void {
  const given = ['fresh', 'repair'].find((option) => values[option] === true);
  if (given === undefined) return;
  throw new BenchError(
    'USAGE',
    `--${given} and --on do not go together: one would remove what another has made.`,
    { hint: 'Give another --cache, or remove what is there: bench cache prune.' },
  );
}
