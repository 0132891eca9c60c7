/**
 * `npm run perf -- doubling [LARGEST] [NAME]`: how much processor time each reader of files takes as its input doubles from 1 MB to 64 MB (or to
 * so many), of every shape that once made one slow. Linear is a ratio of 2. Refusals end early, and have smaller ones.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { growingArchives } from './growing-archives.js';
import { type GrowingFile, growingFiles } from './growing-files.js';

/** Of each size the fastest counts. */
const repetitions = 3;
/** Below it a ratio is noise. */
const shortestMs = 20;

export async function writeGrowing(
  file: string,
  { content: [start, repeated, end] }: Pick<GrowingFile, 'content'>,
  bytes: number,
): Promise<void> {
  const handle = await open(file, 'w');
  let written = 0;
  let piece = start;
  const flush = async () => {
    written += (await handle.write(piece)).bytesWritten;
    piece = '';
  };
  try {
    for (let i = 0; written + piece.length < bytes; i++) {
      piece += typeof repeated === 'string' ? repeated : repeated(i);
      if (piece.length > 1 << 20) await flush();
    }
    piece += end;
    await flush();
  } finally {
    await handle.close();
  }
}

/** Of all threads: what else the machine does is not in it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function millisecondsOf(read: () => Promise<unknown>): Promise<{ ms: number; refused: boolean }> {
  let ms = Number.POSITIVE_INFINITY;
  let refused = false;
  for (let i = 0; i < repetitions; i++) {
    const from = cpuMs();
    await read().catch((error: unknown) => {
      if (!(error instanceof BenchError)) throw error;
      refused = true;
    });
    ms = Math.min(ms, cpuMs() - from);
  }
  return { ms, refused };
}

export default async function perfDoubling([largest = '64', only = '']: readonly string[]): Promise<void> {
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256].filter((size) => size <= Number(largest));
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-doubling-'));
  const file = path.join(folder, 'input');
  let worst = 0;
  console.log(`milliseconds of processor time by MB: ${sizes.join(', ')}`);
  try {
    const inputs = [
      ...growingFiles.map((shape) => ({
        ...shape,
        write: (bytes: number) => writeGrowing(file, shape, bytes),
      })),
      ...growingArchives.map((shape) => ({
        ...shape,
        write: (bytes: number) => shape.write(file, bytes),
      })),
    ];
    for (const { name, write, read } of inputs.filter((input) => input.name.includes(only))) {
      const times: number[] = [];
      let note = '';
      for (const size of sizes) {
        await write(size * 1e6);
        const { ms, refused } = await millisecondsOf(() => read(file));
        if (refused && note === '') note = `, refused from ${size} MB on`;
        times.push(ms);
      }
      const ratios = times.slice(1).map((ms, i) => ms / Math.max(times[i]!, shortestMs));
      worst = Math.max(worst, ...ratios);
      const shown = ratios.map((ratio) => ratio.toFixed(2)).join(' ');
      console.log(`${name}: ${times.map((ms) => ms.toFixed(0)).join(' ')}; ratios ${shown}${note}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`the largest ratio is ${worst.toFixed(2)}; linear is 2`);
}
