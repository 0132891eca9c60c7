/** `npm run perf -- check [REPETITIONS]`: whether `bench check` calls a second run of the same thing worse, and sees a slower one. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadConfig } from '../config/config.js';
import type { ReportCheck } from '../contracts.js';
import { type LatencyValues, readRecords, type StoredRecord } from '../record.js';
import { checkRegressions, readBaseline, writeBaseline } from '../regression.js';
import { writeAtomic } from '../store/atomic.js';
import { wholeCount } from './counts.js';
import { inFolder } from './made-folder.js';

const cli = fileURLToPath(new URL('../cli.js', import.meta.url));
const architectures = 'bm25,mlr-sc';
/** A model that is trained in seconds: what is looked at is the time of a query. */
const settings = {
  seeds: [1],
  measures: ['success@20', 'mrr@10'],
  model: { scratch: { dimensions: 32, intermediate: 64 } },
  train: { epochs: 1, averageRankFrom: null },
  latency: { batchSizes: [] },
};
const planted = 2;

/**
 * Makes one run of each architecture and takes it as the baseline. Then makes them again and again, each time in a
 * process of its own that finds the training in the cache and times its queries afresh, and checks every one of them:
 * as it is, and with its time of searching doubled.
 */
export default async function perfCheck([given = '20']: readonly string[]): Promise<void> {
  const repetitions = wholeCount('repetitions', given);
  await inFolder('check', async (folder) => {
    const baseline = path.join(folder, 'baseline.json');
    await writeAtomic(path.join(folder, 'bench.config.json'), JSON.stringify(settings));
    const thresholds = loadConfig({ cwd: folder }).check;
    await writeBaseline(baseline, await made(folder));
    const before = await readBaseline(baseline);
    console.log(`${architectures} on sample; a ratio over ${thresholds.latencyRatio} counts`);
    let [flagged, caught, improved] = [0, 0, 0];
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      const again = await made(folder);
      const checks = checkRegressions(before, again, thresholds);
      const worse = checks.filter(({ verdict }) => verdict === 'worse');
      if (worse.length > 0) flagged++;
      if (checks.some(({ verdict }) => verdict === 'better')) improved++;
      const slowed = checkRegressions(before, again.map(searchedTwice), thresholds);
      const seen = slowed.filter(({ name, verdict }) => name === 'latency search' && verdict === 'worse');
      caught += seen.length;
      const verdict = worse.length === 0 ? 'not flagged' : 'FLAGGED';
      console.log(
        `${repetition}: ${verdict}; ${searchOf(checks)}; doubled, caught in ${namesOf(seen) || 'none'}`,
      );
      for (const check of worse) console.log(`  ${check.system} ${check.name}: ${check.detail}`);
    }
    console.log(`the same again, flagged: ${flagged} of ${repetitions} (called better: ${improved})`);
    console.log(
      `search taking ${planted} times as long, caught: ${caught} of ${repetitions * before.length}`,
    );
  });
}

async function made(folder: string): Promise<StoredRecord[]> {
  const argv = [cli, 'run', '--arch', architectures, '--dataset', 'sample'];
  await promisify(execFile)(process.execPath, argv, { cwd: folder, maxBuffer: 2 ** 26 });
  return readRecords([path.join(folder, 'results')]);
}

/** What the record would hold if every search had been done twice. */
function searchedTwice({ file, record }: StoredRecord): StoredRecord {
  const { search, total } = record.latency!;
  const slower = (values: LatencyValues, ms: (sample: number) => number): LatencyValues => ({
    ...values,
    samplesMs: values.samplesMs.map((_, i) => ms(i)),
  });
  const latency = {
    ...record.latency!,
    search: slower(search!, (i) => planted * search!.samplesMs[i]!),
    total: slower(total, (i) => total.samplesMs[i]! + (planted - 1) * search!.samplesMs[i]!),
  };
  return { file, record: { ...record, latency } };
}

const namesOf = (checks: readonly ReportCheck[]): string => checks.map(({ system }) => system).join(', ');

function searchOf(checks: readonly ReportCheck[]): string {
  const search = checks.filter(({ name }) => name === 'latency search');
  return search
    .map(({ system, baseline, current }) => `${system} search ×${(current! / baseline!).toFixed(2)}`)
    .join(', ');
}
