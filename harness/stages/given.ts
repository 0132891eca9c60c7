/** Folders that a user hands in. */
import { BenchError } from '../errors.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { Checkpoint } from '../pipeline/checkpoint.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import { checkedManifest, type Manifest } from '../store/manifest.js';
import type { ShardFacts } from './encode.js';
import { type Given, inputsOf, type Stage } from './graph.js';

/**
 * @param content gives the content key, which counts where the folder does not say which stage left it
 * @throws BenchError CACHE_INVALID where it is not what was made
 */
export async function given(folder: string, content: () => Promise<string>): Promise<Given> {
  const manifest = await checkedManifest(folder);
  return { folder, key: manifest === undefined ? await content() : keyOf(manifest.inputs) };
}

/**
 * An index that `bench encode` made, wherever it lies now. It is checked, and where other code made it than this program's
 * that is said.
 * @param encoding what would make it here
 * @throws BenchError PATH_INVALID where it is none; CACHE_INVALID where it is not what was made; CONFIG_INVALID where it is of
 *   other weights or another dataset
 */
export async function givenShards(
  folder: string,
  encoding: Stage,
  checkpoint: Pick<Checkpoint, 'folder' | 'key'>,
  progress: Progress,
): Promise<Given> {
  const hint =
    'bench encode with this checkpoint and dataset prints the folder of the index that belongs to them.';
  const manifest = await checkedManifest<Partial<ShardFacts>>(folder, progress);
  if (manifest === undefined) await readIndexFacts(folder);
  const here = inputsOf(encoding);
  const inputs = (manifest?.inputs ?? {}) as Partial<typeof here>;
  if (manifest === undefined || inputs.made !== here.made || inputs.dataset === undefined) {
    throw new BenchError('PATH_INVALID', `${folder} does not say what its index was made from.`, { hint });
  }
  const { name, version } = inputs.dataset as { name: string; version: string };
  const faults = [
    ...(manifest.facts.weights === checkpoint.key
      ? []
      : [`with other weights than those in ${checkpoint.folder}`]),
    ...(keyOf(inputs.dataset) === keyOf(here.dataset)
      ? []
      : [`from ${name}, version ${version}, and other files`]),
  ];
  if (faults.length > 0) {
    throw new BenchError('CONFIG_INVALID', `The index ${folder} was made ${faults.join(' and ')}.`, { hint });
  }
  noteOrigin(folder, inputs, here, manifest, progress);
  return { folder, key: keyOf(inputs) };
}

type Origin = Readonly<Partial<Record<'code' | 'engine' | 'computeClass', unknown>>>;

/** An index that other code or another engine has made may differ from the one that would be made here. */
function noteOrigin(
  folder: string,
  was: Origin,
  here: Origin,
  { execution }: Pick<Manifest, 'execution'>,
  progress: Progress,
): void {
  const ways = [
    ...(keyOf(was.code) === keyOf(here.code)
      ? []
      : [`by other code than this program's (bench ${execution.benchVersion})`]),
    ...(keyOf(was.engine) === keyOf(here.engine) ? [] : ['on another engine']),
    ...(was.computeClass === here.computeClass ? [] : ['on a machine of another compute class']),
  ];
  if (ways.length > 0) progress.note(`The index ${folder} was made ${ways.join(' and ')}.`);
}
