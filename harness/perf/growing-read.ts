/** Reads one input of `perf -- doubling` in a process of its own, which no reading before has warmed or filled, and says what it took. */
import { BenchError } from '../errors.js';
import { growingArchives } from './growing-archives.js';
import { growingFiles } from './growing-files.js';

export const growing = [...growingFiles, ...growingArchives];

export interface GrowingRead {
  /** Processor time of all threads in the reader's own code: what else the machine does is not in it. */
  ms: number;
  /** The same in the system, as it opens, reads and writes files. */
  systemMs: number;
  refused: boolean;
}

async function measured(name: string, file: string): Promise<GrowingRead> {
  const shape = growing.find((each) => each.name === name)!;
  const before = process.cpuUsage();
  const refused = await shape.read(file).then(
    () => false,
    (error: unknown) => {
      if (!(error instanceof BenchError)) throw error;
      return true;
    },
  );
  const { user, system } = process.cpuUsage(before);
  return { ms: user / 1000, systemMs: system / 1000, refused };
}

const [name, file] = process.argv.slice(2);
if (process.send !== undefined && name !== undefined && file !== undefined) {
  process.send(await measured(name, file));
  process.disconnect();
}
