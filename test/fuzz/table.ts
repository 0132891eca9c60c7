/** The table of the last long round in docs/robustness.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../places.js';
import type { LoaderCount } from './round.js';

export const page = path.join(root, 'docs', 'robustness.md');
const begin = '<!-- counts: written by npm run fuzz -- --all --write-docs -->';
const end = '<!-- end of counts -->';

/** Puts the counts in the place of those of an earlier round. */
export function writeTable(counts: readonly LoaderCount[], seeds: readonly number[]): void {
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${page} has no place for the counts`);
  writeFileSync(page, `${text.slice(0, before)}${begin}\n\n${tableOf(counts, seeds)}\n${text.slice(after)}`);
}

/** The counts of all seeds, a loader a row. */
export function tableOf(counts: readonly LoaderCount[], seeds: readonly number[]): string {
  const rows = [...new Set(counts.map(({ loader }) => loader))].map((loader) => {
    const own = counts.filter((count) => count.loader === loader);
    const sum = (of: (count: LoaderCount) => number) => own.reduce((total, count) => total + of(count), 0);
    const most = (of: (count: LoaderCount) => number) => Math.max(...own.map(of));
    return {
      ...{ loader, inputs: sum(({ inputs }) => inputs), accepted: sum(({ accepted }) => accepted) },
      slowestMs: most(({ slowestMs }) => slowestMs),
      memoryMiB: most(({ memoryMiB }) => memoryMiB),
      faults: sum(({ faults }) => faults.length),
    };
  });
  const whole = (number: number) => Math.round(number).toLocaleString('en');
  const total = rows.reduce((sum, { inputs }) => sum + inputs, 0);
  const lines = rows.map(
    ({ loader, inputs, accepted, slowestMs, memoryMiB, faults }) =>
      `| ${loader} | ${[inputs, accepted, slowestMs, memoryMiB, faults].map(whole).join(' | ')} |`,
  );
  return [
    `${whole(total)} inputs, seeds ${seeds.join(' and ')}.`,
    '',
    '| loader | inputs | taken | slowest ms | memory MiB | kinds of fault |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
    '',
  ].join('\n');
}
