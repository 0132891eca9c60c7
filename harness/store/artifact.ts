/** What is asked of the store, and what it gives. */
import path from 'node:path';
import type { Code } from '../program/code.js';
import type { Told } from './content.js';
import type { About, ArtifactKind, ArtifactName, Making, MakingConditions, Manifest } from './manifest.js';
import type { Anew } from './repair.js';

export interface StoreOptions {
  /** Kinds of which what this store makes is to go again, see `release`. */
  temporary?: readonly ArtifactKind[];
  /** Names the work it is made for, the same at every attempt. */
  owner?: string;
  /** Where given, what is in the cache already is made anew, each artifact once. */
  anew?: Anew | undefined;
  /** Told of what is found damaged, and of checks that take long; stderr has its notes where absent. */
  told?: Told;
  /** Keeps to its folder, whatever store this process works with: for what is made to be thrown away. */
  isAlone?: true;
}

export interface Artifact<Facts> {
  folder: string;
  key: string;
  facts: Facts;
  /** True where it was found finished, false where this process made it. */
  cached: boolean;
  /** Which code it came of: a part of its key. */
  code?: Code;
  made?: Making;
}

export interface UsedArtifact extends Artifact<unknown> {
  kind: ArtifactKind;
}

/** What an artifact is made from; the same inputs have the same key. */
export interface Inputs {
  readonly [name: string]: unknown;
  /** Which code makes it. */
  readonly code?: Code;
}

export interface PlacedArtifact extends ArtifactName {
  /** Where it lies, or is to lie. */
  readonly folder: string;
}

/** An artifact that is asked for. */
export interface Wanted<Facts> extends PlacedArtifact {
  readonly inputs: Inputs;
  readonly about: About;
  readonly conditions: MakingConditions | undefined;
  readonly make: () => Promise<Facts>;
}

/** Whoever makes the artifact in a folder holds this. */
export const lockOf = (folder: string): string => path.join(folder, 'lock');

/** An artifact that was found finished. */
export function takenOf<Facts>(
  { folder, key, inputs: { code } }: Wanted<Facts>,
  { facts, execution: made }: Manifest<Facts>,
): Artifact<Facts> {
  return { folder, key, facts, cached: true, ...(code && { code }), made };
}
