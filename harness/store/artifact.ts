/** What is asked of the store, and what it gives. */
import path from 'node:path';
import type { Code } from '../program/code.js';
import type { About, ArtifactKind, ArtifactName, Making, MakingConditions, Manifest } from './manifest.js';

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

/** An artifact that is asked for. */
export interface Wanted<Facts> extends ArtifactName {
  readonly folder: string;
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
  return { folder, key, facts, cached: true, ...(code && { code }), ...(made && { made }) };
}
