/**
 * Where a file of FAISS holds the parameter that trades speed for recall, for a binding that cannot set it. The format
 * is that of faiss/impl/index_write.cpp (FAISS 1.7.3; the parts read here are the same up to 1.12). Every index begins so,
 * all numbers little-endian:
 *
 *     4 letters  int32 D  int64 rows  int64 2^20  int64 2^20  uint8 trained  int32 metric (0: inner product)
 *
 * then, for an inverted file, `uint64 lists  uint64 nprobe` and its quantizer; for a graph, five vectors (each a uint64
 * length and its elements), `int32 entry  int32 level  int32 efConstruction  int32 efSearch  int32 1` and its storage.
 */
import { constants } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { closing } from '../../closing.js';
import { BenchError, fileError } from '../../errors.js';
import { damaged, openToRead } from '../../index/reading.js';
import type { FoundParameter } from '../../search/searcher.js';
import { discard, temporaryName } from '../../store/atomic.js';
import { Cursor } from './cursor.js';

/** What a search looks at: inverted lists visited, or candidates kept while walking a graph. */
type SearchParameterName = 'nprobe' | 'efSearch';

/** The parameter of one file, as it stands there. */
export interface SearchParameter {
  name: SearchParameterName;
  value: number;
  /** Place in the file, from 0. */
  offset: number;
  /** A uint64 or an int32. */
  bytes: 4 | 8;
  /** The most that makes a difference: the number of lists. */
  largest?: number;
}

const invertedFiles = ['IwFl', 'IwFd', 'IwSq', 'IwPQ', 'IwQR', 'IwPf'];
const graphs = ['IHNf', 'IHNs', 'IHNp', 'IHN2'];
/** Indexes that hand the search on to the one that follows their header: refinement, and numbers for rows. */
const wrappers = ['IxRF', 'IxMp', 'IxM2'];

/**
 * The parameter of the index in a file; undefined for a kind that has none, or none at a place known here.
 * @throws BenchError CACHE_INVALID where the file is not as FAISS writes it
 */
export async function findSearchParameter(file: string): Promise<SearchParameter | undefined> {
  return closing(await openToRead(file), async (handle) => {
    return locate(new Cursor(file, handle, (await handle.stat()).size));
  });
}

async function locate(cursor: Cursor): Promise<SearchParameter | undefined> {
  const kind = await cursor.letters();
  cursor.expect(/^[A-Za-z0-9]{4}$/.test(kind), `the letters '${kind}'`);
  if (invertedFiles.includes(kind)) return inInvertedFile(cursor);
  if (graphs.includes(kind)) return inGraph(cursor);
  if (wrappers.includes(kind)) {
    await header(cursor);
    return locate(cursor);
  }
  if (kind !== 'IxPT') return undefined;
  await header(cursor);
  const transforms = await cursor.int32();
  cursor.expect(transforms >= 0 && transforms < 100, `${transforms} transforms`);
  for (let i = 0; i < transforms; i++) if (!(await skipTransform(cursor))) return undefined;
  return locate(cursor);
}

/** @returns rows */
async function header(cursor: Cursor): Promise<number> {
  const dimensions = await cursor.int32();
  const rows = await cursor.int64();
  const placeholders = [await cursor.int64(), await cursor.int64()];
  const trained = await cursor.byte();
  const metric = await cursor.int32();
  cursor.expect(dimensions > 0 && rows >= 0, `${rows} rows of ${dimensions} dimensions`);
  cursor.expect(
    placeholders.every((number) => number === 2 ** 20),
    `${placeholders.join(' and ')} where 2^20 stands twice`,
  );
  cursor.expect(trained === 0 || trained === 1, `${trained} for whether it is trained`);
  // Other metrics than these two are followed by an argument.
  cursor.expect(metric === 0 || metric === 1, `metric ${metric}`);
  return rows;
}

async function inInvertedFile(cursor: Cursor): Promise<SearchParameter> {
  await header(cursor);
  const lists = await cursor.int64();
  const offset = cursor.at;
  const value = await cursor.int64();
  const quantizer = await cursor.letters();
  cursor.expect(lists > 0 && value > 0, `nprobe ${value} of ${lists} lists`);
  cursor.expect(/^I[A-Za-z0-9]{3}$/.test(quantizer), `the quantizer '${quantizer}'`);
  return { name: 'nprobe', value, offset, bytes: 8, largest: lists };
}

async function inGraph(cursor: Cursor): Promise<SearchParameter> {
  const rows = await header(cursor);
  await cursor.vector(8); // the share of each level
  await cursor.vector(4); // neighbours up to each level
  const levels = await cursor.vector(4);
  const starts = await cursor.vector(8);
  await cursor.vector(4); // neighbours
  cursor.expect(levels === rows && starts === rows + 1, `${levels} levels of ${rows} rows`);
  await cursor.int32(); // where a walk begins
  await cursor.int32(); // the highest level
  const construction = await cursor.int32();
  const offset = cursor.at;
  const value = await cursor.int32();
  const beam = await cursor.int32();
  const storage = await cursor.letters();
  cursor.expect(construction > 0 && value > 0, `efConstruction ${construction}, efSearch ${value}`);
  cursor.expect(beam === 1 && /^I[A-Za-z0-9]{3}$/.test(storage), `a beam of ${beam}, then '${storage}'`);
  return { name: 'efSearch', value, offset, bytes: 4 };
}

/** @returns false for one that is not known here */
async function skipTransform(cursor: Cursor): Promise<boolean> {
  const kind = await cursor.letters();
  if (kind === 'Pcam') {
    cursor.skip(4 + 4 + 1 + 4); // the power and the least of eigenvalues, whether it rotates, bins
    for (const _ of ['mean', 'eigenvalues', 'matrix']) await cursor.vector(4);
  }
  if (['Pcam', 'rrot', 'LTra'].includes(kind)) {
    cursor.skip(1); // whether there is a bias
    for (const _ of ['matrix', 'bias']) await cursor.vector(4);
  } else if (kind === 'RmDT' || kind === 'VCnt') await cursor.vector(4);
  else if (kind === 'VNrm') cursor.skip(4);
  else return false;
  cursor.skip(4 + 4 + 1); // D before and after, whether it is trained
  return true;
}

/**
 * Copies an index with another value of its parameter. The copy has a temporary name and is removed by the one who asked.
 * @param parameter as `findSearchParameter` found it in this file
 * @returns the copy
 */
export async function copyWithParameter(
  file: string,
  parameter: SearchParameter,
  value: number,
): Promise<string> {
  const copy = temporaryName(file);
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    const found = await findSearchParameter(copy);
    if (found?.offset !== parameter.offset || found.value !== parameter.value) {
      throw damaged(file, `has changed: ${parameter.name} ${parameter.value} is not where it was`);
    }
    const bytes = Buffer.alloc(parameter.bytes);
    if (parameter.bytes === 8) bytes.writeBigUInt64LE(BigInt(value));
    else bytes.writeInt32LE(value);
    await closing(await open(copy, 'r+'), (handle) => handle.write(bytes, 0, bytes.length, parameter.offset));
    return copy;
  } catch (error) {
    await discard(copy);
    throw fileError(error, file);
  }
}

/**
 * @param kind the factory string, for the message
 * @throws BenchError CONFIG_INVALID where the index has no such parameter, with the call that would be needed, or where the
 *   value is out of range
 */
export function assertSettable(
  found: FoundParameter | undefined,
  name: string,
  values: readonly number[],
  kind: string,
): void {
  if (found?.name !== name) {
    throw new BenchError(
      'CONFIG_INVALID',
      `index.${name} cannot be set for an index '${kind}'${found === undefined ? '' : `, whose search parameter is ${found.name}`}.`,
      {
        hint: `faiss-node has no call for it: FAISS's own is ParameterSpace::set_index_parameter(index, "${name}", value). What can be set here is nprobe of an inverted file (IVF64,Flat) and efSearch of a graph (HNSW32), behind a transform or a refinement too.`,
      },
    );
  }
  const most = Math.max(...values);
  if (found.largest === undefined || most <= found.largest) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `index.nprobe: ${most} is more than the ${found.largest} lists of an index '${kind}'.`,
    { hint: `With ${found.largest} every list is visited.` },
  );
}
