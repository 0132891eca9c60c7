/**
 * A folder of vectors made elsewhere: `passages.npy` and `queries.npy`, the ids of their rows beside them as lines (`passages.txt`)
 * or as JSON objects (`passages.jsonl`, with `_id` or `id`), and `vectors.json`, which says how they are compared.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { jsonLines, textLines } from '../interchange/json-lines.js';
import { NpyRows } from '../interchange/npy.js';
import { parseJson } from '../json.js';
import { hashOnce } from '../store/hash-once.js';
import { readPlainText } from '../store/plain-file.js';

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
  const identifiers = { passages: '', queries: '' };
  const dimensions: number[] = [];
  for (const side of sides) {
    identifiers[side] = await identifiersOf(folder, side);
    const rows = await NpyRows.open(arrayOf(folder, side));
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
    ...{ folder, similarity: chosen, counts, identifiers },
    dimensions: dimensions[0]!,
    files: () =>
      Promise.all(
        sides
          .flatMap((side) => [arrayOf(folder, side), identifiers[side]])
          .map(async (file) => ({
            name: path.basename(file),
            sizeBytes: (await stat(file)).size,
            sha256: await hashOnce(file),
          })),
      ),
  };
}

export const arrayOf = (folder: string, side: Side): string => path.join(folder, `${side}.npy`);

async function identifiersOf(folder: string, side: Side): Promise<string> {
  const names = [`${side}.txt`, `${side}.jsonl`];
  const found: string[] = [];
  for (const name of names) if (await isThere(path.join(folder, name))) found.push(name);
  if (found.length === 1 && (await isThere(arrayOf(folder, side)))) return path.join(folder, found[0]!);
  const fault = (what: string) =>
    new BenchError('PATH_INVALID', `${folder} cannot be used as vectors: ${what}.`, {
      hint: 'It holds passages.npy and queries.npy, and the ids of their rows in passages.txt and queries.txt (or .jsonl).',
    });
  if (!(await isThere(folder))) throw fault('there is no such folder');
  if (!(await isThere(arrayOf(folder, side)))) throw fault(`it has no ${side}.npy`);
  throw fault(
    `it has ${found.length === 0 ? 'neither' : 'both'} ${names.join(found.length === 0 ? ' nor ' : ' and ')}`,
  );
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

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
  const fault = (line: number, what: string) =>
    new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
      hint: `Each line has the id of one row of ${side}.npy, in its order.`,
    });
  if (file.endsWith('.jsonl')) {
    for await (const { value, line } of jsonLines(file, 'DATA_INVALID')) {
      const id = value._id ?? value.id;
      if (typeof id !== 'string') throw fault(line, 'no _id or id that is a string');
      yield id;
    }
    return;
  }
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    if (text === '') throw fault(line, 'no id');
    yield text;
  }
}
