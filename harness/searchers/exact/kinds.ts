/** The kinds of index that `exact` builds, what a search of each can be told, and what each needs. */
import { BenchError } from '../../errors.js';
import type { FoundParameter, ParameterSchema } from '../../search/searcher.js';
import type { Coding } from './code-file.js';

/**
 * cut: the first numbers of each vector, for models that were trained so that these suffice (Kusupati et al., Matryoshka
 * Representation Learning, 2022). int8, binary: codes, and the vectors of the rows that look best by them. bounds: int8 codes,
 * and the vectors of all rows that may be among the best: the hits of Flat.
 */
export type Kind = 'cut' | 'int8' | 'binary' | 'bounds';

const codings: Readonly<Record<Kind, Coding>> = {
  cut: 'none',
  int8: 'int8',
  binary: 'binary',
  bounds: 'int8',
};
export const kinds = Object.keys(codings).join(', ');
export const codingOf = (kind: Kind): Coding => codings[kind];

/** Rows that are compared again, where nothing is said. */
export const ownRescore = 400;

export const parameters: Readonly<Record<string, ParameterSchema>> = {
  dimensions: {
    description: 'first numbers of a vector that are kept, of cut; all where nothing is said',
    type: 'integer',
    minimum: 1,
    order: 'descending',
    notAboveDimensions: true,
  },
  rescore: {
    description: `rows whose vectors are compared again, of int8 and binary; ${ownRescore} where nothing is said, and 0 for none`,
    type: 'integer',
    minimum: 0,
    notBelowDepth: true,
  },
};

/** @throws BenchError CONFIG_INVALID where `exact` has no such kind */
export function kindOf(kind: string): Kind {
  if (Object.hasOwn(codings, kind)) return kind as Kind;
  throw new BenchError('CONFIG_INVALID', `exact cannot build an index '${kind}': it builds ${kinds}.`, {
    hint: 'Other kinds need FAISS or usearch: bench list searchers.',
  });
}

/** What a search can be told, by kind; null where nothing. @param dimensions D */
export function parameterOf(kind: Kind, dimensions: number): FoundParameter | null {
  if (kind === 'bounds') return null;
  if (kind === 'cut') return { name: 'dimensions', value: dimensions, largest: dimensions };
  return { name: 'rescore', value: ownRescore };
}

/** @throws BenchError CONFIG_INVALID for another parameter than its kind's, or more dimensions than there are */
export function assertSettable(
  found: FoundParameter | undefined,
  name: string,
  values: readonly number[],
  kind: string,
): void {
  if (name !== found?.name) {
    throw new BenchError('CONFIG_INVALID', `index.${name} cannot be set for an index '${kind}' of exact.`, {
      hint:
        found === undefined
          ? 'A search of it is told nothing.'
          : `What a search of it can be told is index.${found.name}.`,
    });
  }
  const { largest } = found;
  const over = largest === undefined ? undefined : values.find((value) => value > largest);
  if (over !== undefined) {
    throw new BenchError('CONFIG_INVALID', `index.${name} is ${over}, and the vectors have ${largest}.`, {
      hint: `Give ${largest} or less: what is cut is what follows.`,
    });
  }
}

/** Bytes on the disk that a search reads. @param sizeBytes of the file @param value of the parameter */
export function searchedBytes(
  kind: string,
  { vectors, dimensions }: { vectors: number; dimensions: number },
  sizeBytes: number,
  value: number | undefined,
): number {
  const isCut = kindOf(kind) === 'cut';
  if (isCut) return 4 * vectors * (value ?? dimensions);
  const readsRows = kind === 'bounds' || (value ?? ownRescore) > 0;
  return sizeBytes + (readsRows ? 4 * vectors * dimensions : 0);
}
