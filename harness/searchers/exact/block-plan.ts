/** How the rows of an index are cut into blocks, so that rows and scores keep to what they may take. */
import { BenchError } from '../../errors.js';

/** Queries multiplied at once, at most. */
export const largestBatch = 128;
/** Larger blocks gain the processor nothing: at D = 768 this is 400 MB. */
export const largestBlockRows = 131_072;
/** Rows of one group on a device, of which the largest score is looked at first: a block there has whole groups. */
export const groupRows = 64;
/** Resident blocks may be small; below this the cost of starting each begins to show. */
const smallestRows = 4096;

/** What rows and scores may take; results and the engine's own workspace come on top. */
export interface BlockBudget {
  /** Of this process's memory. */
  memoryBytes: number;
  /** Of the device's, where variables lie on one; as much where absent. */
  deviceMemoryBytes?: number;
  /** Of one array on the device: a block's rows, or the scores of a batch of queries. */
  largestArrayBytes?: number;
}

/** How the rows are cut, and whether they all stay in memory, or on the device. */
export interface BlockPlan {
  resident: boolean;
  /** Of all blocks but the last. On a device whole groups, of which the last may be filled up. */
  blockRows: number;
}

/**
 * Chooses blocks that keep to the budget. Resident: all rows, and one block on its way in. Streamed: a block at work and the
 * next one on its way in. On a device a block's way leads through this process's memory.
 * @throws BenchError CONFIG_INVALID where not even a row fits, or a group of rows on a device
 */
export function planBlocks(vectors: number, dimensions: number, budget: BlockBudget): BlockPlan {
  if (budget.deviceMemoryBytes !== undefined)
    return onDevice(vectors, dimensions, { ...budget, deviceMemoryBytes: budget.deviceMemoryBytes });
  const { memoryBytes } = budget;
  const rowBytes = dimensions * 4;
  const scoreBytes = largestBatch * 4;
  const wanted = Math.max(1, Math.min(vectors, largestBlockRows));
  const besideAll = Math.floor((memoryBytes - vectors * rowBytes) / (rowBytes + scoreBytes));
  if (besideAll >= Math.min(wanted, smallestRows))
    return { resident: true, blockRows: Math.min(wanted, besideAll) };
  const streamed = 2 * rowBytes + scoreBytes;
  const blockRows = Math.min(wanted, Math.floor(memoryBytes / streamed));
  if (blockRows < 1) throw tooSmall('search.memoryMiB', memoryBytes, dimensions, 'two rows', streamed);
  return { resident: false, blockRows };
}

/**
 * Scores of each row of a block that have room on a device beside the rows. A block lies there twice while it is turned, and
 * has no scores yet; those of a batch of queries do as well, since what is kept of a program is a copy.
 */
export const scoresBeside = (dimensions: number): number => Math.max(dimensions, 2 * largestBatch);

function onDevice(
  vectors: number,
  dimensions: number,
  {
    memoryBytes,
    deviceMemoryBytes,
    largestArrayBytes = Number.POSITIVE_INFINITY,
  }: BlockBudget & { deviceMemoryBytes: number },
): BlockPlan {
  const groupBytes = groupRows * dimensions * 4;
  const besideBytes = groupRows * scoresBeside(dimensions) * 4;
  const all = Math.ceil(vectors / groupRows);
  const largestOfGroup = groupRows * Math.max(dimensions, largestBatch) * 4;
  const wanted = Math.max(1, Math.min(all, Math.floor(largestArrayBytes / largestOfGroup)));
  // Read into one array and sent from another.
  const passing = Math.floor(memoryBytes / (2 * groupBytes));
  const besideAll = Math.floor((deviceMemoryBytes - all * groupBytes) / besideBytes);
  const kept = Math.min(wanted, besideAll, passing);
  if (kept >= Math.min(wanted, smallestRows / groupRows))
    return { resident: true, blockRows: kept * groupRows };
  const streamed = groupBytes + besideBytes;
  // A second block is read while the first is on its way.
  const readAhead = Math.floor(memoryBytes / (3 * groupBytes));
  const groups = Math.min(wanted, readAhead, Math.floor(deviceMemoryBytes / streamed));
  const what = `${groupRows} rows`;
  if (readAhead < 1) throw tooSmall('search.memoryMiB', memoryBytes, dimensions, what, 3 * groupBytes);
  if (groups < 1) throw tooSmall('search.deviceMemoryMiB', deviceMemoryBytes, dimensions, what, streamed);
  return { resident: false, blockRows: groups * groupRows };
}

function tooSmall(
  setting: string,
  bytes: number,
  dimensions: number,
  what: string,
  least: number,
): BenchError {
  return new BenchError(
    'CONFIG_INVALID',
    `A memory budget of ${bytes} bytes does not hold ${what} of ${dimensions} dimensions and their scores.`,
    { hint: `Give at least ${least} bytes with ${setting}; a gigabyte is a good start.` },
  );
}
