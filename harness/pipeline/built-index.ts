/** An index of another kind than Flat once it is built: what is searched instead of the shards. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { IndexFacts } from '../record.js';
import { flatKind } from '../search/searcher.js';
import type { BuiltFacts } from '../searchers/faiss/build.js';
import type { FactoryIndex } from '../searchers/faiss/built.js';
import { assertSettable, type SearchParameterName } from '../searchers/faiss/parameter-file.js';
import type { Artifact } from '../store/store.js';
import type { Timed } from './whole-index.js';

/** `execution` is absent in what older versions left. */
export type IndexedFacts = BuiltFacts & { execution?: Timed };

/** An index that was built, and the values its search is to be tried with. */
export interface BuiltIndex {
  artifact: Artifact<IndexedFacts>;
  kind: string;
  /** Null where the kind has none; then `values` is empty. */
  parameter: SearchParameterName | null;
  values: readonly number[];
}

/** Where the stage leaves it, in its folder. */
export const builtFile = 'index.faiss';

/** Where the shards are the index, and nothing is built. */
export const isFlat = ({ index }: BenchConfig): boolean => index.kind === flatKind;

/** @throws BenchError CONFIG_INVALID where a value was asked for that cannot be set */
export function builtIndex(artifact: Artifact<IndexedFacts>, { index }: BenchConfig): BuiltIndex {
  const { parameter: found } = artifact.facts;
  const { kind } = index;
  for (const name of ['nprobe', 'efSearch'] as const) {
    const values = index[name];
    if (values === null) continue;
    assertSettable(found ?? undefined, name, values, kind);
    return { artifact, kind, parameter: name, values };
  }
  return { artifact, kind, parameter: found?.name ?? null, values: found === null ? [] : [found.value] };
}

/** The index as it is searched with one of its values; the last, which the run is measured with, where none is given. */
export function factoryIndex(
  { artifact: { folder, facts }, kind, parameter, values }: BuiltIndex,
  value = values.at(-1),
): FactoryIndex {
  return {
    file: path.join(folder, builtFile),
    kind,
    sizeBytes: facts.sizeBytes,
    ...(parameter !== null && value !== undefined && { parameter: { name: parameter, value } }),
  };
}

/** What of a run record's index is otherwise than for Flat. */
export function builtFacts(
  built: BuiltIndex,
  { vectors }: Pick<VectorIndex, 'vectors'>,
  flat: IndexFacts,
): IndexFacts {
  const { facts } = built.artifact;
  const { parameter } = factoryIndex(built);
  const { identifiers, offsets } = flat.sizeBytes;
  return {
    ...flat,
    kind: built.kind,
    sizeBytes: {
      vectors: facts.sizeBytes,
      identifiers,
      offsets,
      total: facts.sizeBytes + identifiers + offsets,
    },
    projectedBytes: Math.round((facts.sizeBytes / vectors) * flat.vectorsPerPassage * flat.projectedPassages),
    trainedOn: facts.trainedOn,
    ...(parameter && { parameter }),
  };
}
