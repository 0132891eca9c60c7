/**
 * `npm run perf -- doubling [LARGEST] [NAME]`: how much processor time each reader of files takes as its input doubles from 1 MB to 64 MB (or to
 * so many), of every shape that once made one slow. Linear is a ratio of 2. Refusals end early, and have smaller ones. What the
 * system takes is shown beside it: to write 60,000 small files it took 0.4 s once, and 1.2 s the next time.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { GrowingFile } from './growing-files.js';
import { type GrowingRead, growing } from './growing-read.js';
import { inFolder } from './made-folder.js';

/** Of each size the fastest counts. */
const repetitions = 3;
/**
 * Below it a ratio is noise: V8 compiles what runs long enough, once, in up to 65 ms (one quoted column of 0.5, 1, 1.5, 2 and
 * 4 MB: 37, 45, 110, 122 and 165 ms).
 */
const shortestMs = 100;

/** A larger ratio is looked at again: what else the machine does only ever adds. */
const doubtful = 2.2;

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

/** Of several readings the quickest, each in a process of its own. */
async function readingOf(name: string, file: string): Promise<GrowingRead> {
  const readings: GrowingRead[] = [];
  for (let i = 0; i < repetitions; i++) {
    const child = fork(new URL('growing-read.js', import.meta.url), [name, file]);
    const ended = once(child, 'exit');
    const early = ended.then(([status]) => {
      throw new Error(`reading '${name}' ended with ${status}`);
    });
    const [reading] = (await Promise.race([once(child, 'message'), early])) as [GrowingRead];
    readings.push(reading);
    await ended;
  }
  return readings.reduce((best, reading) => (reading.ms < best.ms ? reading : best));
}

export default async function perfDoubling([largest = '64', only = '']: readonly string[]): Promise<void> {
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256].filter((size) => size <= Number(largest));
  let worst = 0;
  console.log(`milliseconds of processor time by MB: ${sizes.join(', ')}`);
  await inFolder('doubling', async (folder) => {
    const file = path.join(folder, 'input');
    for (const shape of growing.filter(({ name }) => name.includes(only))) {
      const { name } = shape;
      const times: number[] = [];
      const systemTimes: number[] = [];
      let note = '';
      const read = async (size: number) => {
        if ('write' in shape) await shape.write(file, size * 1e6);
        else await writeGrowing(file, shape, size * 1e6);
        return readingOf(name, file);
      };
      for (const size of sizes) {
        const { ms, systemMs, refused } = await read(size);
        if (refused && note === '') note = `, refused from ${size} MB on`;
        times.push(ms);
        systemTimes.push(systemMs);
      }
      const ratio = (i: number) => times[i + 1]! / Math.max(times[i]!, shortestMs);
      for (let again = 0; again < repetitions; again++)
        for (const [i, size] of sizes.slice(1).entries())
          if (ratio(i) > doubtful) times[i + 1] = Math.min(times[i + 1]!, (await read(size)).ms);
      const ratios = sizes.slice(1).map((_, i) => ratio(i));
      worst = Math.max(worst, ...ratios);
      const shown = ratios.map((ratio) => ratio.toFixed(2)).join(' ');
      const [own, system] = [times, systemTimes].map((all) => all.map((ms) => ms.toFixed(0)).join(' '));
      console.log(`${name}: ${own}; ratios ${shown}${note}; in the system ${system}`);
    }
  });
  console.log(`the largest ratio is ${worst.toFixed(2)}; linear is 2`);
}
