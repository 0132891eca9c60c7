/**
 * The best rows of blocks that lie on a device. Scores stay there. What travels is the best rows, where the device can find
 * them; else the largest score of each group of rows, and then the scores of the groups that matter.
 */
import type { TopRows } from '../../search/merge.js';
import type { Engine, Program } from '../../tensor/engine.js';
import * as tf from '../../tensor/operations.js';
import { groupRows, largestBatch } from './block-plan.js';
import type { Block } from './blocks.js';
import { offerFound } from './device-best.js';
import { areFinite, feedsOf, firstGroup, type Run, RunPrograms, runsOf, timesThere } from './device-run.js';
import { type Asked, chosenGroups, leastScores, offerBest } from './group-choice.js';
import type { Batch } from './score-steps.js';
import { largestOf } from './turned-rows.js';

/** Queries are padded to one of these numbers: where what is sent costs more than what is multiplied, all go together. */
export const deviceBatchSizes = [1, 16, largestBatch] as const;

/** In two steps: the first writes the largest of every sixteen, since one that reads more would be another kernel on WebGPU. */
const firstStep = 16;

export class DeviceSearch {
  readonly #engine: Engine;
  readonly #dimensions: number;
  readonly #programs: RunPrograms;

  constructor(engine: Engine, dimensions: number) {
    this.#engine = engine;
    this.#dimensions = dimensions;
    this.#programs = new RunPrograms(engine, dimensions);
  }

  /** Offers the best rows of blocks that follow one another. */
  async search(top: TopRows, blocks: readonly Block[], batch: Batch): Promise<void> {
    const asked = Array.from({ length: batch.size }, (_, q) => q);
    if (this.#engine.hasInt64 !== true) return this.#kept(top, blocks, { ...batch, asked });
    const largest = largestOf(batch.values);
    for (const run of this.#runs(blocks, batch, timesThere.found)) {
      const left = this.#hasBest(top, run, largest)
        ? await offerFound(this.#programs, top, run, batch)
        : asked;
      if (left.length > 0) await this.#kept(top, run.blocks, { ...batch, asked: left });
    }
  }

  /** Offers the best rows for the queries that are asked, by scores that lie there when a program has ended, or come back. */
  async #kept(top: TopRows, blocks: readonly Block[], batch: Asked): Promise<void> {
    const largest = largestOf(batch.values);
    for (const run of this.#runs(blocks, batch, timesThere.kept))
      if (this.#hasBest(top, run, largest)) await this.#grouped(top, run, batch);
      else await this.#all(top, run, batch);
  }

  #runs(blocks: readonly Block[], { values }: Batch, times: number): Run[] {
    return runsOf(blocks, values.length / this.#dimensions, this.#dimensions, times);
  }

  /**
   * Whether a few groups hold the best rows. Where most groups would be asked for all rows are; and where a score may be no
   * number, whose groups have no largest.
   */
  #hasBest(top: TopRows, run: Run, largest: number): boolean {
    return 2 * top.depth <= run.groups && areFinite(run, largest, this.#dimensions);
  }

  async #all(top: TopRows, run: Run, batch: Asked): Promise<void> {
    const program = await this.#programs.of(run, 'scores', (scores) => [scores]);
    const [scores] = await program.run(feedsOf(run, batch));
    const { groups } = run;
    offerBest(top, run, { ...batch, leasts: leastScores(top, batch) }, (q, offer) => {
      const at = batch.asked[q]! * groupRows * groups;
      for (let group = 0; group < groups; group++) offer(group, scores as Float32Array, at + group, groups);
    });
  }

  async #grouped(top: TopRows, run: Run, batch: Asked): Promise<void> {
    const { asked, size } = batch;
    const { groups, queries } = run;
    const kept = this.#engine.variables([queries * groupRows * groups]);
    const scores = kept.variables[0]!;
    try {
      // Scores of the whole batch again: those of another number of queries may be rounded otherwise.
      const some = asked.length < size ? new Int32Array(paddedSize(asked.length)) : undefined;
      some?.set(asked);
      const program = await this.#largest(run, some?.length);
      const [, largest] = await program.run([...feedsOf(run, batch), ...(some ? [some] : [])], [scores]);
      const { chosen, counts, width, leasts } = chosenGroups(top, groups, batch, largest as Float32Array);
      if (width === 0) return;
      const at = new Int32Array((some?.length ?? queries) * width);
      for (const [i, group] of chosen.entries())
        at[i] = asked[Math.floor(i / width)]! * groupRows * groups + group;
      const [found] = await (await this.#look(run, [at.length / width, width])).run([scores, at]);
      offerBest(top, run, { ...batch, leasts }, (q, offer) => {
        const first = q * groupRows * width;
        for (let i = 0; i < counts[q]!; i++)
          offer(chosen[q * width + i]!, found as Float32Array, first + i, width);
      });
    } finally {
      kept.dispose();
    }
  }

  /** Scores, and the largest of each group [Q, G]; of some queries alone [U, G] where it is fed which, [U]. */
  #largest(run: Run, some: number | undefined): Promise<Program> {
    const { queries, groups } = run;
    return this.#programs.of(
      run,
      `largest ${some ?? ''}`,
      (scores, [which]) => {
        const first = tf.max(tf.reshape(scores, [queries, firstStep, (groupRows / firstStep) * groups]), 1);
        const largest = tf.max(tf.reshape(first, [queries, groupRows / firstStep, groups]), 1);
        return [scores, which === undefined ? largest : tf.gather(largest, which)];
      },
      some === undefined ? [] : [{ shape: [some], dtype: 'int32' }],
    );
  }

  /** Scores [Q, 64, G] and where the first rows of groups stand among them [U, k] -> those groups' scores [U, 64, k]. */
  #look({ queries, groups }: Run, shape: [number, number]): Promise<Program> {
    return this.#programs.get(
      `look ${queries} ${groups} ${shape}`,
      ([scores, at]) => [tf.gather(scores!, tf.add(firstGroup(groups), tf.expandDims(at!, 1)))],
      [
        { shape: [queries * groupRows * groups], dtype: 'float32' },
        { shape, dtype: 'int32' },
      ],
      `scores of ${shape[1]} groups of rows for ${shape[0]} queries`,
    );
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}

/** The least of `deviceBatchSizes` that holds so many. */
const paddedSize = (queries: number): number => deviceBatchSizes.find((size) => size >= queries)!;
