/**
 * A folder of vectors made elsewhere: `passages.npy` and `queries.npy`, the ids of their rows beside them as lines (`passages.txt`)
 * or as JSON objects (`passages.jsonl`, with `_id` or `id`), or `passages.parquet` and `queries.parquet` with ids of their own; and
 * `vectors.json`, which says how they are compared.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { BenchError, succeeds } from '../errors.js';
import { jsonLines, textLines } from '../interchange/json-lines.js';
import { ParquetVectors } from '../interchange/parquet-vectors.js';
import { parseJson } from '../json.js';
import { keyOf } from '../store/hash.js';
import { hashOnce } from '../store/hash-once.js';
import { readPlainText } from '../store/plain-file.js';
import { openArray, parquetSuffix } from './given-arrays.js';

export type Similarity = 'dot' | 'cosine';
export type Side = 'passages' | 'queries';

/** What lies in the folder, as far as it is known without reading numbers. */
export interface GivenVectors {
  folder: string;
  similarity: Similarity;
  /** D */
  dimensions: number;
  /** Rows. */
  counts: Record<Side, number>;
  /** Where the numbers stand. */
  arrays: Record<Side, string>;
  /** Where the ids stand. */
  identifiers: Record<Side, string>;
  /** What decides the vectors, with hashes. */
  files(): Promise<DataFile[]>;
}

const factsFile = 'vectors.json';
const sides: readonly Side[] = ['passages', 'queries'];

/**
 * @param similarity instead of what the folder says; null leaves it to the folder
 * @throws BenchError PATH_INVALID for what is not there, DATA_INVALID for files that do not fit together, CONFIG_INVALID where
 *   nothing says how vectors are compared
 */
export async function describeGiven(folder: string, similarity: Similarity | null): Promise<GivenVectors> {
  const counts = { passages: 0, queries: 0 };
  const arrays = { passages: '', queries: '' };
  const identifiers = { passages: '', queries: '' };
  const dimensions: number[] = [];
  for (const side of sides) {
    ({ array: arrays[side], identifiers: identifiers[side] } = await filesOf(folder, side));
    const rows = await openArray(arrays[side]);
    counts[side] = rows.rows;
    dimensions.push(rows.dimensions);
    await rows.close();
  }
  if (dimensions[0] !== dimensions[1]) {
    throw new BenchError(
      'DATA_INVALID',
      `${folder} holds passages of ${dimensions[0]} dimensions and queries of ${dimensions[1]}.`,
      { hint: 'Both have to come from one model, in vectors of one length.' },
    );
  }
  const own = await ownSimilarity(path.join(folder, factsFile));
  const chosen = similarity ?? own;
  if (chosen === undefined) {
    throw new BenchError('CONFIG_INVALID', `${folder} does not say how its vectors are compared.`, {
      hint: `Give --set vectors.similarity=cosine or dot, as its model's authors do, or write {"similarity": "cosine"} into ${factsFile}.`,
    });
  }
  return {
    ...{ folder, similarity: chosen, counts, arrays, identifiers },
    dimensions: dimensions[0]!,
    files: () =>
      Promise.all(
        [...new Set(sides.flatMap((side) => [arrays[side], identifiers[side]]))].map(async (file) => ({
          name: path.basename(file),
          sizeBytes: (await stat(file)).size,
          sha256: await hashOnce(file),
        })),
      ),
  };
}

/** What the vectors are known by: what their files hold, and how they are compared. */
export const contentKey = async ({ files, similarity }: GivenVectors): Promise<string> =>
  keyOf({ files: await files(), similarity });

/** The file of a side's numbers, and that of its ids: one where it is Parquet. */
async function filesOf(folder: string, side: Side): Promise<{ array: string; identifiers: string }> {
  const present = async (names: readonly string[]) => {
    const found: string[] = [];
    for (const name of names) if (await isThere(path.join(folder, name))) found.push(name);
    return found;
  };
  const [npy, parquet] = [`${side}.npy`, `${side}${parquetSuffix}`];
  const names = [`${side}.txt`, `${side}.jsonl`];
  const arrays = await present([npy, parquet]);
  const found = await present(names);
  const file = (name: string) => path.join(folder, name);
  if (arrays.length === 1) {
    const [array] = arrays as [string];
    if (array === parquet && found.length === 0) return { array: file(array), identifiers: file(array) };
    if (array === npy && found.length === 1) return { array: file(array), identifiers: file(found[0]!) };
  }
  const fault = (what: string) =>
    new BenchError('PATH_INVALID', `${folder} cannot be used as vectors: ${what}.`, {
      hint: 'It holds passages.npy and queries.npy, and the ids of their rows in passages.txt and queries.txt (or .jsonl); or passages.parquet and queries.parquet, which have ids.',
    });
  if (!(await isThere(folder))) throw fault('there is no such folder');
  if (arrays.length === 0) throw fault(`it has no ${npy} and no ${parquet}`);
  if (arrays.length === 2) throw fault(`it has both ${npy} and ${parquet}`);
  if (arrays[0] === parquet) throw fault(`it has both ${parquet}, which has ids, and ${found.join(' and ')}`);
  throw fault(
    `it has ${found.length === 0 ? 'neither' : 'both'} ${names.join(found.length === 0 ? ' nor ' : ' and ')}`,
  );
}

const isThere = (file: string): Promise<boolean> => succeeds(stat(file));

async function ownSimilarity(file: string): Promise<Similarity | undefined> {
  if (!(await isThere(file))) return undefined;
  let found: unknown;
  try {
    found = parseJson(await readPlainText(file));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new BenchError('DATA_INVALID', `${file} is not JSON: ${cause.message}.`, {
      hint: 'Write {"similarity": "cosine"}, or "dot".',
      cause,
    });
  }
  const { similarity } = (found ?? {}) as { similarity?: unknown };
  if (similarity === 'dot' || similarity === 'cosine') return similarity;
  throw new BenchError(
    'DATA_INVALID',
    `${file} says similarity ${JSON.stringify(similarity) ?? 'nothing'}.`,
    { hint: 'It is "cosine" or "dot": write {"similarity": "cosine"}.' },
  );
}

/** The ids of a side in the order of its rows. @throws BenchError DATA_INVALID for a line that holds none */
export async function* identifiersIn({ identifiers }: GivenVectors, side: Side): AsyncGenerator<string> {
  const file = identifiers[side];
  if (file.endsWith(parquetSuffix)) {
    const vectors = await ParquetVectors.open(file);
    try {
      yield* vectors.identifiers();
    } finally {
      await vectors.close();
    }
    return;
  }
  const fault = (line: number, what: string) =>
    new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
      hint: `Each line has the id of one row of ${side}.npy, in its order.`,
    });
  if (file.endsWith('.jsonl')) {
    for await (const { value, line } of jsonLines(file, 'DATA_INVALID')) {
      const id = value._id ?? value.id;
      if (typeof id !== 'string' || id === '')
        throw fault(line, 'no _id or id that is a string with letters');
      yield id;
    }
    return;
  }
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    if (text === '') throw fault(line, 'no id');
    yield text;
  }
}
