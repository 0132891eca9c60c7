/** An index of another kind than Flat once it is built: what is searched instead of the shards. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import { parametersAsked } from '../config/index-parameters.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { IndexFacts } from '../record.js';
import type { SearcherIdentity } from '../search/search.js';
import { type BuiltFacts, flatKind } from '../search/searcher.js';
import type { Artifact } from '../store/store.js';
import type { NamedBuilder } from './choose-searcher.js';
import type { BuiltSearch } from './open-searcher.js';
import type { Timed } from './whole-index.js';

export type IndexedFacts = BuiltFacts & { execution: Timed };

/** An index that was built, and the values its search is to be tried with. */
export interface BuiltIndex {
  artifact: Pick<Artifact<IndexedFacts>, 'folder' | 'facts'>;
  /** Who built it, and searches it. */
  by: NamedBuilder;
  kind: string;
  /** Null where the kind has none; then `values` is empty. */
  parameter: string | null;
  values: readonly number[];
}

/** Whether the shards are the index, so that nothing is built. */
export const isFlat = ({ index }: Pick<BenchConfig, 'index'>): boolean => index.kind === flatKind;

/** @throws BenchError CONFIG_INVALID where a value was asked for that cannot be set */
export function builtIndex(
  { folder, facts }: BuiltIndex['artifact'],
  { index }: BenchConfig,
  by: NamedBuilder,
): BuiltIndex {
  const artifact = { folder, facts };
  const { parameter: found } = facts;
  const { kind } = index;
  const [asked] = parametersAsked(index);
  if (asked === undefined) {
    const values = found === null ? [] : [found.value];
    return { artifact, by, kind, parameter: found?.name ?? null, values };
  }
  const { name, values } = asked;
  by.builder.assertSettable(found ?? undefined, name, values, kind);
  return { artifact, by, kind, parameter: name, values };
}

/** The index as it is searched with one of its values; the last, which the run is measured with, where none is given. */
export function builtSearch(
  { artifact: { folder, facts }, by: { name, builder }, kind, parameter, values }: BuiltIndex,
  value = values.at(-1),
): BuiltSearch {
  const { sizeBytes, own } = facts;
  return {
    searcher: name,
    file: path.join(folder, builder.file),
    kind,
    sizeBytes,
    ...(own && { own }),
    ...(parameter !== null && value !== undefined && { parameter: { name: parameter, value } }),
  };
}

/** Bytes on the disk that a search with a value reads. @param counts of the shards */
export function bytesAt(
  { artifact: { facts }, by: { builder }, kind }: BuiltIndex,
  counts: Pick<VectorIndex, 'vectors' | 'dimensions'>,
  value: number | undefined,
): number {
  return builder.searchedBytes?.(kind, counts, facts.sizeBytes, value) ?? facts.sizeBytes;
}

/** The index of a run record, with what differs from Flat. */
export function builtFacts(
  built: BuiltIndex,
  index: Pick<VectorIndex, 'vectors' | 'dimensions'>,
  flat: IndexFacts,
  { versions }: Pick<SearcherIdentity, 'versions'>,
): IndexFacts {
  const { facts } = built.artifact;
  const { parameter } = builtSearch(built);
  const { identifiers, offsets } = flat.sizeBytes;
  const vectors = bytesAt(built, index, parameter?.value);
  return {
    ...flat,
    kind: built.kind,
    sizeBytes: { vectors, identifiers, offsets, total: vectors + identifiers + offsets },
    projectedBytes: Math.round((vectors / index.vectors) * flat.vectorsPerPassage * flat.projectedPassages),
    trainedOn: facts.trainedOn,
    builtBy: { searcher: built.by.name, versions },
    ...(parameter && { parameter }),
  };
}
