/**
 * The best rows of blocks that lie on a device. Scores stay there: what travels is the largest score of each group of rows,
 * and then the scores of the groups that matter.
 */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import type { Engine, Program } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { ProgramCache } from '../../tensor/program-cache.js';
import { groupRows, largestBatch } from './block-plan.js';
import type { Block } from './blocks.js';
import type { Batch } from './score-steps.js';
import { groupsOf, largestOf } from './turned-rows.js';

/** Programs kept; each holds a compiled graph and the engine's workspace for it. */
const keptPrograms = 12;
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** In two steps: the first writes the largest of every sixteen, since one that reads more would be another kernel. */
const firstStep = 16;

/** Blocks that follow one another: only the last may have a group that is filled up. */
interface Run {
  blocks: readonly Block[];
  rows: number;
  groups: number;
  /** Queries, padded. */
  queries: number;
}

export class DeviceSearch {
  readonly #engine: Engine;
  readonly #dimensions: number;
  readonly #programs = new ProgramCache(keptPrograms);

  constructor(engine: Engine, dimensions: number) {
    this.#engine = engine;
    this.#dimensions = dimensions;
  }

  /** Offers the best rows of blocks that follow one another. */
  async search(top: TopRows, blocks: readonly Block[], batch: Batch): Promise<void> {
    const queries = batch.values.length / this.#dimensions;
    // Few queries have the scores of several blocks in the place of those of 128 queries and one: by block, and joined.
    const atOnce = Math.max(1, Math.floor(largestBatch / (2 * queries)));
    for (let first = 0; first < blocks.length; first += atOnce) {
      const some = blocks.slice(first, first + atOnce);
      const rows = some.reduce((sum, block) => sum + block.rows, 0);
      const run = { blocks: some, rows, groups: groupsOf(rows), queries };
      // Where most groups would be asked for all rows are; and where a score may be no number, whose groups have no largest.
      if (2 * top.depth > run.groups || !this.#areFinite(run, batch)) await this.#all(top, run, batch);
      else await this.#grouped(top, run, batch);
    }
  }

  /** Whether no score can leave float32. */
  #areFinite({ blocks }: Run, { values }: Batch): boolean {
    const query = largestOf(values);
    return blocks.every(({ largest }) => query * largest! * this.#dimensions <= largestFloat);
  }

  async #all(top: TopRows, run: Run, batch: Batch): Promise<void> {
    const [scores] = await (await this.#products(run)).run(feedsOf(run, batch));
    const { groups } = run;
    const leasts = leastScores(top, batch);
    offerBest(top, run, { ...batch, leasts }, (q, offer) => {
      const at = q * groupRows * groups;
      for (let group = 0; group < groups; group++) offer(group, scores as Float32Array, at + group, groups);
    });
  }

  async #grouped(top: TopRows, run: Run, batch: Batch): Promise<void> {
    const kept = this.#engine.variables([run.queries * groupRows * run.groups]);
    const scores = kept.variables[0]!;
    try {
      const [, largest] = await (await this.#largest(run)).run(feedsOf(run, batch), [scores]);
      const { chosen, counts, width, leasts } = chosenGroups(top, run, batch, largest as Float32Array);
      if (width === 0) return;
      const [found] = await (await this.#look(run, width)).run([scores, chosen]);
      offerBest(top, run, { ...batch, leasts }, (q, offer) => {
        const at = q * groupRows * width;
        for (let i = 0; i < counts[q]!; i++)
          offer(chosen[q * width + i]!, found as Float32Array, at + i, width);
      });
    } finally {
      kept.dispose();
    }
  }

  /** Queries [Q, D] and blocks, each [D, 64, its groups] -> scores [Q, 64, G]. */
  #products(run: Run): Promise<Program> {
    return this.#program(run, 'scores', (inputs) => [scoresOf(inputs)]);
  }

  /** The same -> scores, and the largest of each group [Q, G]. */
  #largest(run: Run): Promise<Program> {
    const { queries, groups } = run;
    return this.#program(run, 'largest', (inputs) => {
      const scores = scoresOf(inputs);
      const some = tf.max(tf.reshape(scores, [queries, firstStep, (groupRows / firstStep) * groups]), 1);
      return [scores, tf.max(tf.reshape(some, [queries, groupRows / firstStep, groups]), 1)];
    });
  }

  #program(run: Run, what: string, build: (inputs: tf.Tensor[]) => tf.Tensor[]): Promise<Program> {
    const { blocks, queries } = run;
    const shapes = [
      [queries, this.#dimensions],
      ...blocks.map(({ rows }) => [this.#dimensions, groupRows * groupsOf(rows)]),
    ];
    return this.#programs.get(`${what} ${shapes.join(' ')}`, () =>
      this.#engine.compile(
        build,
        shapes.map((shape) => ({ shape, dtype: 'float32' })),
        { name: `search of ${queries} queries in ${run.rows} rows` },
      ),
    );
  }

  /** Scores [Q, 64, G] and numbers of groups [Q, k] -> those groups' scores [Q, 64, k]. */
  #look({ queries, groups }: Run, k: number): Promise<Program> {
    return this.#programs.get(`look ${queries} ${groups} ${k}`, () =>
      this.#engine.compile(
        ([scores, chosen]) => {
          const before = Int32Array.from({ length: queries * groupRows }, (_, i) => i * groups);
          const rows = tf.tensor(before, [queries, groupRows, 1], 'int32');
          return [tf.gather(scores!, tf.add(rows, tf.expandDims(chosen!, 1)))];
        },
        [
          { shape: [queries * groupRows * groups], dtype: 'float32' },
          { shape: [queries, k], dtype: 'int32' },
        ],
        { name: `scores of ${k} groups of rows for ${queries} queries` },
      ),
    );
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}

const feedsOf = ({ blocks }: Run, { values }: Batch) => [values, ...blocks.map(({ feed }) => feed)];

function scoresOf([queries, ...blocks]: tf.Tensor[]): tf.Tensor {
  const scores = blocks.map((block) => {
    const product = tf.matMul(queries as tf.Tensor2D, block as tf.Tensor2D);
    return tf.reshape(product, [queries!.shape[0]!, groupRows, -1]);
  });
  return scores.length === 1 ? scores[0]! : tf.concat(scores, 2);
}

/** What a score must be to enter, by query. */
const leastScores = (top: TopRows, { first, size }: Batch): Float32Array =>
  Float32Array.from({ length: size }, (_, q) => top.leastScore(first + q));

/**
 * For each query the `depth` first groups, in the order of their largest scores, and of equal ones of their rows. These hold
 * the `depth` best rows: before a row of another group comes, from each of them, the row with its largest score, which is
 * larger, or equal and of a group whose rows are all before.
 * @returns their numbers [Q, width], how many they are by query, and what a row of them must score
 */
function chosenGroups(top: TopRows, { groups, queries }: Run, batch: Batch, largest: Float32Array) {
  const { depth } = top;
  const found = new Int32Array(batch.size * depth);
  const scores = new Float32Array(depth);
  const leasts = leastScores(top, batch);
  const counts = Array.from(leasts, (least, q) => {
    const held = new BestPassages(depth);
    // What cannot enter need not travel.
    let enters = least;
    for (let group = 0; group < groups; group++) {
      const score = largest[q * groups + group]!;
      if (!(score >= enters)) continue;
      held.offer(score, group);
      if (held.isFull) enters = held.leastScore;
    }
    // So many groups have a row that scores no less.
    leasts[q] = enters;
    return held.take(found.subarray(q * depth), scores, 0);
  });
  // After the first blocks few groups may enter: as many are asked for as are needed, in few widths, each of which is a program.
  const most = Math.max(...counts);
  const width = most === 0 ? 0 : Math.min(depth, 2 ** Math.ceil(Math.log2(most)));
  const chosen = new Int32Array(queries * width);
  for (const [q, count] of counts.entries())
    chosen.set(found.subarray(q * depth, q * depth + count), q * width);
  return { chosen, counts, width, leasts };
}

/** Offers the rows of a group, whose scores stand so far apart from each other. */
type OfferGroup = (group: number, scores: Float32Array, at: number, apart: number) => void;

function offerBest(
  top: TopRows,
  run: Run,
  { first, leasts }: Batch & { leasts: Float32Array },
  each: (q: number, offer: OfferGroup) => void,
): void {
  for (const [q, least] of leasts.entries()) {
    const held = new BestPassages(top.depth);
    let enters = least;
    each(q, (group, scores, at, apart) => {
      const firstRow = group * groupRows;
      const count = Math.min(groupRows, run.rows - firstRow);
      for (let i = 0; i < count; i++) {
        const score = scores[at + i * apart]!;
        // What is no number is no hit.
        if (!(score >= enters)) continue;
        held.offer(score, firstRow + i);
        if (held.isFull) enters = held.leastScore;
      }
    });
    held.moveTo(top, first + q, run.blocks[0]!.firstRow);
  }
}
