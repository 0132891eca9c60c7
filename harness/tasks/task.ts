/**
 * A piece of a sweep that one machine does by itself. The store holds what is done; a task only says what is to be done, so that
 * a lost queue loses nothing and a task done twice leaves the same bytes.
 */
import { bareRequest, type RunRequest } from '../pipeline/run-request.js';
import { computeClass } from '../program/compute-class.js';
import { describeProgram } from '../program/git.js';
import { keyOf } from '../store/hash.js';
import type { ArtifactKind } from '../store/store.js';
import { titleOf } from '../sweep/cell-lines.js';
import { groupsOf } from '../sweep/groups.js';

/**
 * train: a checkpoint; encode: a shard of the passages' vectors; cell: what
 * else a run is made of (query vectors, indexes, hits); latency: the runs of a group are timed in turns and recorded.
 */
export type TaskKind = 'train' | 'encode' | 'cell' | 'latency';

export interface Task {
  /** Equal for equal work: made from everything else. */
  readonly id: string;
  readonly kind: TaskKind;
  /** For people: `encode shard 3 of 8, mlr-sc on sample, seed 1`. */
  readonly title: string;
  /** The runs that it is a part of: one, of `latency` the whole group. */
  readonly requests: readonly RunRequest[];
  /** Of train and encode: the key of the artifact that it makes, or makes a piece of. */
  readonly artifact?: string;
  /** Of encode: which piece, from 0. */
  readonly piece?: number;
  /** Of train and encode: what is there once it is done. */
  readonly leaves?: { readonly kind: ArtifactKind; readonly key: string };
  /** The program that asked: another would leave other artifacts. */
  readonly program: string;
  /** Numbers computed on another class of machines are others in their last bits. */
  readonly computeClass: string;
}

/** Which program this is: its version, and its commit where it runs from a checkout. */
export async function programHere(): Promise<string> {
  const { benchVersion, git } = await describeProgram();
  return git === null ? benchVersion : `${benchVersion} ${git.commit}${git.dirty ? ', changed' : ''}`;
}

type Asked = Omit<Task, 'id' | 'program' | 'computeClass'>;

/** A task of the same sweep as another one. */
export function taskBeside({ program, computeClass }: Task, asked: Asked): Task {
  const { kind, artifact, piece } = asked;
  const { title: _, ...deciding } = { ...asked, program, computeClass };
  // What is made of equal parts of two sweeps is one task.
  const named = artifact === undefined ? deciding : { kind, artifact, piece, program, computeClass };
  return {
    id: keyOf(named),
    ...{ ...asked, program, computeClass },
  };
}

const here = async (): Promise<Task> =>
  ({ program: await programHere(), computeClass: computeClass() }) as Task;

/** All that can be done of a sweep on any machine, run by run; they say themselves what they wait for. */
export async function cellTasks(requests: readonly RunRequest[]): Promise<Task[]> {
  const beside = await here();
  return requests.map(bareRequest).map((request) => cellTask(beside, request));
}

export const cellTask = (beside: Task, request: RunRequest): Task =>
  taskBeside(beside, { kind: 'cell', title: titleOf(request), requests: [request] });

/** What a sweep ends with, one for each group that is timed together on one machine; they wait for the cells. */
export async function latencyTasks(requests: readonly RunRequest[]): Promise<Task[]> {
  const beside = await here();
  return groupsOf(requests.map(bareRequest)).map((group) => {
    const [{ architecture, dataset, seed }] = group as [RunRequest];
    const systems = group.length === 1 ? architecture : `${group.length} systems`;
    return taskBeside(beside, {
      kind: 'latency',
      title: `times of ${systems} on ${dataset}, seed ${seed}`,
      requests: group,
    });
  });
}
