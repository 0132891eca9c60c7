/**
 * A piece of a sweep that one machine does by itself. The store holds what is done; a task only says what is to be done, so that
 * a lost queue loses nothing and a task done twice leaves the same bytes.
 */
import type { MachineNeeds, PartNeeds } from '../pipeline/memory-needs.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { computeClass } from '../program/compute-class.js';
import { describeProgram } from '../program/git.js';
import { keyOf } from '../store/hash.js';
import type { ArtifactKind } from '../store/store.js';
import { titleOf } from '../sweep/cell-lines.js';
import { bareRequest } from './bare-request.js';

/**
 * train: a checkpoint; encode: a shard of the passages' vectors; search: hits in some of the shards; cell: what else a run is made
 * of (query vectors, indexes, hits); latency: runs that are made, timed in turns on the machine of one worker.
 * Without a task of latency whoever asked for the runs times them.
 */
export type TaskKind = 'train' | 'encode' | 'search' | 'cell' | 'latency';

/** What a task of latency measures. */
export interface Together {
  /** The name of the worker whose machine measures. */
  readonly pinned: string;
  /** Runs that take turns: see `groupsOf`. */
  readonly requests: readonly RunRequest[];
  /** ISO 8601, UTC: what was measured at another's asking is not taken for it. */
  readonly asked: string;
}

export interface Task {
  /** Equal for equal work: made from everything else. */
  readonly id: string;
  readonly kind: TaskKind;
  /** For people: `encode shard 3 of 8, mlr-sc on sample, seed 1`. */
  readonly title: string;
  /** The run that it is a part of; of latency the first of them. */
  readonly request: RunRequest;
  /** Of all but cells: the key of the artifact that it makes, or makes a piece of; of latency that of what is measured, whenever. */
  readonly artifact?: string;
  /** Of encode and search: which piece, from 0. */
  readonly piece?: number;
  readonly latency?: Together;
  /** Of all but cells: what is there once it is done. */
  readonly leaves?: { readonly kind: ArtifactKind; readonly key: string };
  /** The program that asked: another would leave other artifacts. */
  readonly program: string;
  /** Numbers computed on another class of machines are others in their last bits. */
  readonly computeClass: string;
  /** What each kind of task of its run takes; absent where nobody chooses who does it. */
  readonly needs?: Readonly<Partial<Record<TaskKind, MachineNeeds>>>;
}

/** Which program this is: its version, and its commit where it runs from a checkout. */
export async function programHere(): Promise<string> {
  const { benchVersion, git } = await describeProgram();
  return git === null ? benchVersion : `${benchVersion} ${git.commit}${git.dirty ? ', changed' : ''}`;
}

type Maker = Pick<Task, 'program' | 'computeClass' | 'needs'>;
type Asked = Omit<Task, 'id' | keyof Maker>;

/** A task of the same sweep as another one. */
export function taskBeside({ program, computeClass, needs }: Maker, asked: Asked): Task {
  const { kind, artifact, piece } = asked;
  const { title: _, ...deciding } = { ...asked, program, computeClass };
  // What is made of equal parts of two sweeps is one task.
  const named = artifact === undefined ? deciding : { kind, artifact, piece, program, computeClass };
  return {
    id: keyOf(named),
    ...{ ...asked, program, computeClass },
    // They decide who does it, not what it is.
    ...(needs && { needs }),
  };
}

/**
 * All that can be done of a sweep on any machine, run by run; they say themselves what they wait for.
 * @param needs of each run, in their order
 */
export async function cellTasks(
  requests: readonly RunRequest[],
  needs: readonly PartNeeds[] = [],
): Promise<Task[]> {
  const beside = { program: await programHere(), computeClass: computeClass() };
  const bare = await Promise.all(requests.map(bareRequest));
  return bare.map((request, i) => cellTask({ ...beside, ...(needs[i] && { needs: needs[i] }) }, request));
}

export const cellTask = (beside: Maker, request: RunRequest): Task =>
  taskBeside(beside, { kind: 'cell', title: titleOf(request), request });
