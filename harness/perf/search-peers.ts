/** FAISS and torch in Python, as peers of the searchers here: they answer in a process that stays, so that they take turns. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { shardHeaderBytes } from '../index/shard.js';
import { shardPaths } from '../index/shard-files.js';
import type { VectorIndex } from '../index/vector-index.js';
import { parseJson } from '../json.js';
import { writeAtomic } from '../store/atomic.js';

export interface PeerAnswer {
  /** The search alone, by Python's clock. */
  milliseconds: number;
  /** By query, the first rows. */
  rows: number[][];
}

export interface Peers {
  /** By name, versions of those that are there. */
  versions: Readonly<Record<string, string>>;
  /** By name, why the others are not. */
  missing: Readonly<Record<string, string>>;
  search(peer: string, queries: Float32Array): Promise<PeerAnswer>;
  end(): void;
}

/**
 * PYTHON=... chooses an interpreter that has them. What the environment says to OpenBLAS is left out: it is meant for us.
 * @param folder where queries are written for them
 * @returns the reason where Python or numpy is missing
 */
export async function openPeers(
  index: VectorIndex,
  folder: string,
  { depth, threads }: { depth: number; threads: number },
): Promise<Peers | string> {
  const script = fileURLToPath(new URL('../../../harness/perf/search-peers.py', import.meta.url));
  const files = index.shards.map(({ number }) => shardPaths(index.folder, number).vectors);
  const { dimensions } = index;
  const job = JSON.stringify({ files, dimensions, depth, threads, headerBytes: shardHeaderBytes });
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENBLAS_'));
  const env = { ...Object.fromEntries(own), OMP_NUM_THREADS: String(threads) };
  const python = process.env.PYTHON ?? 'python3';
  const child = spawn(python, [script, job], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout });
  const ended = new Promise<Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => {
      const reason = said.trim().split('\n').at(-1) ?? '';
      resolve(new Error(reason === '' ? `it ended with ${code}` : reason));
    });
  });
  const next = (): Promise<string | Error> =>
    Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), ended]);
  const first = await next();
  if (first instanceof Error) return `${python}: ${first.message}`;
  const { versions, missing } = parseJson(first) as Pick<Peers, 'versions' | 'missing'>;
  const asked = path.join(folder, 'queries.f32');
  return {
    versions,
    missing,
    async search(peer, queries) {
      await writeAtomic(asked, new Uint8Array(queries.buffer, queries.byteOffset, queries.byteLength));
      const answered = next();
      child.stdin.write(`${JSON.stringify({ peer, queries: asked })}\n`);
      const answer = await answered;
      if (answer instanceof Error) throw answer;
      return parseJson(answer) as PeerAnswer;
    },
    end() {
      child.stdin.end();
    },
  };
}
