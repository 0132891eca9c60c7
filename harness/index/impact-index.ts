/**
 * An index of impacts: for each token the passages that have a weight for it, and these weights. A folder of
 *
 *     gaps     token by token: the distance from one passage to the next, as `variable-bytes.ts` writes numbers
 *     weights  float32, in the same order
 *     tokens   'SIMP'  uint32 1  uint32 V, then uint32 passages with each token, and uint32 bytes of its gaps
 *     identifiers, and index.json, written last
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { closing, closingOnFailure } from '../closing.js';
import { Identifiers } from './identifiers.js';
import { damaged, indexFactsPath, longestArray, openToRead, readFully, readIndexJson } from './reading.js';
import { identifiersPath } from './vector-index.js';

export interface ImpactFacts {
  format: 'impacts 1';
  /** N */
  passages: number;
  /** V */
  tokens: number;
  /** Weights of all passages. */
  postings: number;
  /** Passages without any. */
  empty: number;
}

export function impactPaths(folder: string) {
  return {
    gaps: path.join(folder, 'gaps'),
    weights: path.join(folder, 'weights'),
    tokens: path.join(folder, 'tokens'),
    identifiers: identifiersPath(folder),
    facts: indexFactsPath(folder),
  };
}

/** Bytes of the files that a search needs; index.json is not counted. */
export async function impactSize(folder: string) {
  const paths = impactPaths(folder);
  const sizeOf = async (file: string) => (await stat(file)).size;
  const postings = (await sizeOf(paths.gaps)) + (await sizeOf(paths.weights));
  const [terms, identifiers] = [await sizeOf(paths.tokens), await sizeOf(paths.identifiers)];
  return { postings, terms, identifiers, total: postings + terms + identifiers };
}

/** The postings of one token. */
export interface ImpactList {
  gaps: Uint8Array;
  weights: Float32Array;
}

/** An open index. */
export interface ImpactIndex {
  readonly folder: string;
  readonly facts: ImpactFacts;
  readonly passages: number;
  /** Whether all postings lie in memory; else those of a query's tokens are read from the disk. */
  readonly resident: boolean;
  /** @param token below V */
  list(token: number): Promise<ImpactList>;
  identifiers(): Promise<Identifiers>;
  close(): Promise<void>;
}

const headerBytes = 12;
const magic = 'SIMP';
const formatVersion = 1;

/** The file `tokens`. @param counts,bytes of each token's list */
export function tokenTable(counts: Uint32Array, bytes: Uint32Array): Uint8Array[] {
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 0, 'latin1');
  header.writeUInt32LE(formatVersion, 4);
  header.writeUInt32LE(counts.length, 8);
  return [header, bytesOf(counts), bytesOf(bytes)];
}

export const bytesOf = (array: Uint32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Where the list of each token begins, and the end of the last. */
export function startsOf(sizes: Uint32Array): Float64Array {
  const starts = new Float64Array(sizes.length + 1);
  for (const [token, size] of sizes.entries()) starts[token + 1] = starts[token]! + size;
  return starts;
}

/** @throws BenchError PATH_INVALID where the folder holds no finished index */
async function readFacts(folder: string): Promise<ImpactFacts> {
  const file = impactPaths(folder).facts;
  const facts = (await readIndexJson(folder)) as Partial<ImpactFacts> | null;
  if (facts?.format !== 'impacts 1') throw damaged(file, 'describes no index of impacts');
  const { passages, tokens, postings, empty } = facts;
  for (const [name, count] of Object.entries({ passages, tokens, postings, empty }))
    if (!(Number.isSafeInteger(count) && count! >= 0)) throw damaged(file, `says ${name}: ${count}`);
  return facts as ImpactFacts;
}

async function readTable(file: string, tokens: number): Promise<{ counts: Uint32Array; bytes: Uint32Array }> {
  return closing(await openToRead(file), async (handle) => {
    const { size } = await handle.stat();
    // Before memory is taken for as many as another file says.
    if (size !== headerBytes + 8 * tokens)
      throw damaged(file, `holds ${size} bytes, and index.json says ${tokens} tokens`);
    const header = Buffer.alloc(headerBytes);
    await readFully(file, handle, header, 0);
    const known = header.toString('latin1', 0, 4) === magic && header.readUInt32LE(4) === formatVersion;
    if (!known || header.readUInt32LE(8) !== tokens) throw damaged(file, 'is no table of these tokens');
    const [counts, bytes] = [new Uint32Array(tokens), new Uint32Array(tokens)];
    await readFully(file, handle, bytesOf(counts), headerBytes);
    await readFully(file, handle, bytesOf(bytes), headerBytes + 4 * tokens);
    return { counts, bytes };
  });
}

/**
 * @param memoryBytes postings are kept in memory where they fit into so much, else every search reads its own
 * @throws BenchError PATH_INVALID, or CACHE_INVALID naming the damaged file
 */
export async function openImpactIndex(folder: string, memoryBytes: number): Promise<ImpactIndex> {
  const facts = await readFacts(folder);
  const paths = impactPaths(folder);
  // Before memory is taken for as many.
  const identified = await Identifiers.count(paths.identifiers);
  if (identified !== facts.passages)
    throw damaged(paths.facts, `says passages: ${facts.passages}, and there are ${identified} identifiers`);
  const { counts, bytes } = await readTable(paths.tokens, facts.tokens);
  const [firstWeights, firstGaps] = [startsOf(counts), startsOf(bytes)];
  const postings = firstWeights[facts.tokens]!;
  if (postings !== facts.postings)
    throw damaged(paths.facts, `says postings: ${facts.postings}, and the tokens come to ${postings}`);
  const sizes = { [paths.gaps]: firstGaps[facts.tokens]!, [paths.weights]: 4 * postings };
  const handles = await openBoth(paths);
  return closingOnFailure(handles, async () => {
    for (const [file, handle] of handles.all) {
      const { size } = await handle.stat();
      if (size !== sizes[file])
        throw damaged(file, `holds ${size} bytes, and the tokens come to ${sizes[file]}`);
    }
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    const resident = total <= memoryBytes && Object.values(sizes).every((size) => size <= longestArray);
    const read = async (file: string, into: Uint8Array, from: number) =>
      readFully(file, handles.all.find(([name]) => name === file)![1], into, from);
    const kept = resident && {
      gaps: new Uint8Array(sizes[paths.gaps]!),
      weights: new Float32Array(postings),
    };
    if (kept) {
      await read(paths.gaps, kept.gaps, 0);
      await read(paths.weights, bytesOf(kept.weights), 0);
    }
    let identifiers: Promise<Identifiers> | undefined;
    return {
      ...{ folder, facts, passages: facts.passages, resident },
      async list(token) {
        const [gapsFrom, from] = [firstGaps[token]!, firstWeights[token]!];
        const [gapsEnd, end] = [firstGaps[token + 1]!, firstWeights[token + 1]!];
        if (kept)
          return { gaps: kept.gaps.subarray(gapsFrom, gapsEnd), weights: kept.weights.subarray(from, end) };
        const list = { gaps: new Uint8Array(gapsEnd - gapsFrom), weights: new Float32Array(end - from) };
        await read(paths.gaps, list.gaps, gapsFrom);
        await read(paths.weights, bytesOf(list.weights), 4 * from);
        return list;
      },
      identifiers() {
        identifiers ??= Identifiers.open(paths.identifiers);
        return identifiers;
      },
      close: () => handles.close(),
    };
  });
}

async function openBoth({ gaps, weights }: ReturnType<typeof impactPaths>) {
  const first = await openToRead(gaps);
  const second = await closingOnFailure(first, () => openToRead(weights));
  const all = [
    [gaps, first],
    [weights, second],
  ] as const;
  return {
    all,
    async close() {
      for (const [, handle] of all) await handle.close();
    },
  };
}
