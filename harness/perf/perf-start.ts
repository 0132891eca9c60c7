/**
 * `npm run perf -- start [REPETITIONS]`: what `bench --help` and the help of every command take, process and all, taking turns with
 * a node that does nothing. 200 ms is the most that they should.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../statistics/summary.js';
import { wholeCount } from './counts.js';

/** What npx calls: it also looks whether the sources are newer than the build. */
const bench = fileURLToPath(new URL('../../../scripts/bench.mjs', import.meta.url));
const mostMs = 200;

function call(...argv: string[]): { ms: number; printed: string } {
  const started = performance.now();
  const printed = execFileSync(process.execPath, argv, { encoding: 'utf8' });
  return { ms: performance.now() - started, printed };
}

export default async function perfStart([given = '15']: readonly string[]): Promise<void> {
  const repetitions = wholeCount('repetitions', given);
  const { printed } = call(bench, '--help');
  const names = [...printed.matchAll(/^ {2}bench ([a-z]+) {2,}/gm)].map(([, name]) => name!);
  if (names.length === 0) throw new Error('bench --help names no command.');
  const lines: Record<string, string[]> = {
    'node alone': ['-e', '0'],
    'bench --help': [bench, '--help'],
    ...Object.fromEntries(names.map((name) => [`bench ${name} --help`, [bench, name, '--help']])),
  };
  const times = new Map(Object.keys(lines).map((line) => [line, [] as number[]]));
  // The first turn warms the disk's cache.
  for (let turn = 0; turn <= repetitions; turn++) {
    for (const [line, argv] of Object.entries(lines)) {
      const { ms } = call(...argv);
      if (turn > 0) times.get(line)!.push(ms);
    }
  }
  const medians = [...times].map(([line, ms]) => ({ line, ms: median(ms) }));
  const alone = medians[0]!.ms;
  for (const { line, ms } of medians) {
    const verdict = ms > mostMs ? `  MORE THAN ${mostMs} ms` : '';
    console.log(`${line.padEnd(24)} ${ms.toFixed(0).padStart(5)} ms  ×${(ms / alone).toFixed(2)}${verdict}`);
  }
  console.log(
    `medians of ${repetitions}; the largest is ${Math.max(...medians.map(({ ms }) => ms)).toFixed(0)} ms`,
  );
}
