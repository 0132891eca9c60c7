/** Blocks on a device that are multiplied in one program, and the programs. */
import type { ArraySpec, Engine, Feed, Program } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';
import { groupRows, scoresBeside } from './block-plan.js';
import type { Block } from './blocks.js';
import type { Batch } from './score-steps.js';
import { groupsOf } from './turned-rows.js';

/** Programs kept; each holds a compiled graph and the engine's workspace for it. */
const keptPrograms = 12;
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** Blocks that follow one another: only the last may have a group that is filled up. */
export interface Run {
  blocks: readonly Block[];
  rows: number;
  groups: number;
  /** Queries, padded. */
  queries: number;
}

/** How often scores of several blocks lie on a device: by block and joined; and once more where they are an output. */
export const timesThere = { found: 2, kept: 3 } as const;

/** More inputs than that no program was tried with. */
const mostBlocks = 64;

/**
 * Several blocks at once, as far as their scores have room in what lies free beside the rows.
 * @param times a score lies there, of several blocks
 */
export function runsOf(blocks: readonly Block[], queries: number, dimensions: number, times: number): Run[] {
  const room = Math.floor(scoresBeside(dimensions) / (times * queries));
  const atOnce = Math.max(1, Math.min(mostBlocks, room));
  return Array.from({ length: Math.ceil(blocks.length / atOnce) }, (_, i) => {
    const some = blocks.slice(i * atOnce, (i + 1) * atOnce);
    const rows = some.reduce((sum, block) => sum + block.rows, 0);
    return { blocks: some, rows, groups: groupsOf(rows), queries };
  });
}

/** Whether no score can leave float32. @param query the largest number of the queries, either way */
export function areFinite({ blocks }: Run, query: number, dimensions: number): boolean {
  return blocks.every(({ largest }) => query * largest! * dimensions <= largestFloat);
}

export const feedsOf = ({ blocks }: Run, { values }: Batch): Feed[] => [
  values,
  ...blocks.map(({ feed }) => feed),
];

/** Queries [Q, D] and blocks, each [D, 64, its groups] -> scores [Q, 64, G]. */
export function scoresOf(queries: tf.Tensor, blocks: readonly tf.Tensor[]): tf.Tensor {
  const scores = blocks.map((block) => {
    const product = tf.matMul(queries as tf.Tensor2D, block as tf.Tensor2D);
    return tf.reshape(product, [queries.shape[0]!, groupRows, -1]);
  });
  return scores.length === 1 ? scores[0]! : tf.concat(scores, 2);
}

/** Where scores [Q, 64, G] that lie one after another hold the rows of the first group [64, 1] of the first query. */
export const firstGroup = (groups: number): tf.Tensor =>
  tf.tensor(
    Int32Array.from({ length: groupRows }, (_, i) => i * groups),
    [groupRows, 1],
    'int32',
  );

export class RunPrograms {
  readonly #engine: Engine;
  readonly #dimensions: number;
  readonly #programs = new ProgramCache(keptPrograms);

  constructor(engine: Engine, dimensions: number) {
    this.#engine = engine;
    this.#dimensions = dimensions;
  }

  /**
   * The program of a run that is fed as `feedsOf` says, and then of `more`.
   * @param what it does, in a word or two of its own
   */
  of(
    { blocks, queries, rows }: Run,
    what: string,
    build: (scores: tf.Tensor, more: tf.Tensor[]) => tf.Tensor[],
    more: readonly ArraySpec[] = [],
  ): Promise<Program> {
    const shapes = [
      [queries, this.#dimensions],
      ...blocks.map(({ rows }) => [this.#dimensions, groupRows * groupsOf(rows)]),
    ];
    return this.get(
      `${what} ${shapes.join(' ')}`,
      ([first, ...others]) =>
        build(scoresOf(first!, others.slice(0, blocks.length)), others.slice(blocks.length)),
      [...shapes.map((shape): ArraySpec => ({ shape, dtype: 'float32' })), ...more],
      `search of ${queries} queries in ${rows} rows`,
    );
  }

  get(
    key: string,
    build: (inputs: tf.Tensor[]) => tf.Tensor[],
    inputs: readonly ArraySpec[],
    name: string,
  ): Promise<Program> {
    return this.#programs.get(key, () => this.#engine.compile(build, inputs, { name }));
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}
