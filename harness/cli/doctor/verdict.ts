/** What this machine is good for, from what was found on it. */
import { totalmem } from 'node:os';
import { freeBytes } from '../../pipeline/needs.js';
import { byteSize } from '../../progress.js';
import { estimate } from '../../reproduction/estimate.js';
import { loadReproduction } from '../../reproduction/files.js';
import { gridOf } from '../../reproduction/grid.js';
import type { Check } from './machine.js';

/** What SQuAD, its downloads and a run on it take on the disk; an index of its 20,000 passages is a small part. */
const smallRunBytes = 2 ** 30;
const table = 'table2';

/**
 * Two kinds of work: a run on sample or SQuAD with a small model, and the paper's table 2.
 * @param cache where indexes go
 */
export async function verdicts(checks: readonly Check[], cache: string): Promise<Check[]> {
  const problems = checks.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const free = await freeBytes(cache);
  const small = free < smallRunBytes ? [...problems, `${byteSize(free)} free at ${cache}`] : problems;
  return [
    {
      name: 'sample and squad',
      state: small.length === 0 ? 'ok' : 'failed',
      detail: small.length === 0 ? 'fine on this machine' : `not before this is mended: ${small.join(', ')}`,
    },
    await paperVerdict(checks, free, cache),
  ];
}

async function paperVerdict(checks: readonly Check[], free: number, cache: string): Promise<Check> {
  const name = 'table 2 of the paper';
  const grid = await gridOf(loadReproduction(table), {
    ...{ scale: 'paper', dataset: 'sample', folders: new Map(), models: new Map() },
    ...{ offline: true, cwd: process.cwd(), flags: { cache }, set: [] },
  });
  const { runs, gpuHours } = await estimate(grid);
  const index = Math.max(0, ...runs.map(({ indexBytes }) => indexBytes ?? 0));
  const hasGpu = checks.some(
    ({ name: checked, state, detail }) =>
      state === 'ok' &&
      ((checked.startsWith('engine ') && !/^cpu\b/.test(detail)) ||
        (checked.startsWith('device ') && !detail.includes('software'))),
  );
  const hours = gpuHours?.map((each) => Math.round(each).toLocaleString('en-US')).join(' to ');
  const reasons = [
    ...checks.filter(({ state }) => state === 'failed').map((check) => check.name),
    ...(hasGpu ? [] : [`no engine on a GPU, and it takes ${hours} GPU hours`]),
    ...(index < free
      ? []
      : [`its largest index takes ${byteSize(index)}, and ${byteSize(free)} are free at ${cache}`]),
  ];
  if (reasons.length > 0)
    return { name, state: 'absent', detail: `not on this machine: ${reasons.join('; ')}` };
  const memory =
    index < totalmem() ? '' : `; searched from the disk, the memory being ${byteSize(totalmem())}`;
  return {
    name,
    state: 'ok',
    detail: `possible: about ${hours} GPU hours, an index of ${byteSize(index)}${memory}`,
  };
}
