/** What a worker has for tasks, and whether that is enough for one. */
import { counted } from '../counted.js';
import { BenchError, nearestName } from '../errors.js';
import type { MachineNeeds } from '../pipeline/memory-needs.js';
import { byteSize } from '../progress.js';

/** What is not limited is absent. */
export interface Offer {
  readonly gpus?: number;
  readonly memoryMiB?: number;
  readonly diskMiB?: number;
}

const parts = ['gpu', 'memory', 'disk'] as const;
const units: Readonly<Record<string, number>> = { MiB: 1, GiB: 2 ** 10, TiB: 2 ** 20 };

/**
 * `gpu=1,memory=60GiB,disk=500GiB`: memory and disk that are not named are not limited, and there are no GPUs.
 * @throws BenchError USAGE
 */
export function parseOffer(text: string): Offer {
  const offer: { gpus: number; memoryMiB?: number; diskMiB?: number } = { gpus: 0 };
  const seen = new Set<string>();
  for (const each of text.split(',').map((part) => part.trim())) {
    const [, name, value] = /^([^=]*)=(.*)$/.exec(each) ?? [];
    const part = parts.find((known) => known === name);
    if (part === undefined || value === undefined) {
      const near = name === undefined ? undefined : nearestName(name, parts);
      throw refused(text, `'${each}' is none of gpu=N, memory=SIZE, disk=SIZE`, near);
    }
    if (seen.has(part)) throw refused(text, `${part} stands there twice`);
    seen.add(part);
    if (part === 'gpu') offer.gpus = gpusOf(text, value);
    else offer[`${part}MiB`] = mebibytesOf(text, part, value);
  }
  return offer;
}

function gpusOf(text: string, value: string): number {
  if (/^\d{1,3}$/.test(value)) return Number(value);
  throw refused(text, `gpu=${value} is no whole number from 0 to 999`);
}

function mebibytesOf(text: string, part: string, value: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(MiB|GiB|TiB)$/.exec(value) ?? [];
  if (number !== undefined) return Number(number) * units[unit!]!;
  throw refused(text, `${part}=${value} is no size such as 512MiB, 60GiB or 1.5TiB`);
}

function refused(text: string, why: string, near?: string): BenchError {
  return new BenchError('USAGE', `--offer ${text}: ${why}.`, {
    hint: near === undefined ? 'Write --offer gpu=1,memory=60GiB,disk=500GiB.' : `Did you mean ${near}=?`,
  });
}

/** Whether a worker that offers so much can do what needs so much. */
export const isEnough = (offer: Offer, needs: MachineNeeds): boolean =>
  (needs.device === 'cpu' || (offer.gpus ?? 1) >= 1) &&
  needs.memoryMiB <= (offer.memoryMiB ?? Number.POSITIVE_INFINITY) &&
  needs.diskMiB <= (offer.diskMiB ?? Number.POSITIVE_INFINITY);

/** What is left of an offer beside a task. */
export const without = ({ gpus, memoryMiB, diskMiB }: Offer, needs: MachineNeeds): Offer => ({
  ...(gpus !== undefined && { gpus: gpus - (needs.device === 'gpu' ? 1 : 0) }),
  ...(memoryMiB !== undefined && { memoryMiB: memoryMiB - needs.memoryMiB }),
  ...(diskMiB !== undefined && { diskMiB: diskMiB - needs.diskMiB }),
});

/** `a GPU, 4.0 GiB of memory, 293.0 MiB of disk` */
export const needsText = ({ device, memoryMiB, diskMiB }: MachineNeeds): string =>
  [
    ...(device === 'gpu' ? ['a GPU'] : []),
    `${byteSize(memoryMiB * 2 ** 20)} of memory`,
    `${byteSize(diskMiB * 2 ** 20)} of disk`,
  ].join(', ');

/** `no GPU, 60.0 GiB of memory, any disk` */
export function offerText({ gpus, memoryMiB, diskMiB }: Offer): string {
  const size = (what: string, mebibytes: number | undefined) =>
    mebibytes === undefined ? `any ${what}` : `${byteSize(mebibytes * 2 ** 20)} of ${what}`;
  const gpu = gpus === undefined ? 'any GPU' : gpus === 0 ? 'no GPU' : counted(gpus, 'GPUs');
  return `${gpu}, ${size('memory', memoryMiB)}, ${size('disk', diskMiB)}`;
}
