/** How dropout masks reach a program: what is fed for them, and what an encoder gets of that. */
import type { Tensor, Tensor2D } from '../contracts.js';
import type { DropoutSite } from '../model/encoder.js';
import { memoryBytes } from '../program/memory.js';
import { type ArraySpec, type Engine, type NumericArray, sizeOf } from '../tensor/engine.js';
import { wordsFor } from '../tensor/flag-words.js';
import { keptScale } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import { flagTable, unpackFlags } from '../tensor/packed-flags.js';
import { dropoutMasks, type MaskDraw } from './dropout-masks.js';
import { MaskThreads } from './mask-threads.js';

export interface MaskFeeds {
  /** Of what is fed for these sites. */
  specs(sites: readonly DropoutSite[]): ArraySpec[];
  /** @returns what `Encoder.states` takes: undefined where there is no site */
  keep(fed: readonly Tensor[], sites: readonly DropoutSite[]): readonly Tensor[] | undefined;
  /**
   * @param draws all of a step
   * @returns for each what gives its feeds, the same ones whenever it is called
   */
  ofStep(draws: readonly MaskDraw[]): (() => Promise<NumericArray[]>)[];
  dispose(): Promise<void>;
}

/** Bytes of words that a step keeps. Those of 128 passages of 256 tokens in BERT-base are a quarter of a GiB; a small machine needs its memory for other things. */
const mostKeptBytes = (): number => Math.min(2 ** 30, memoryBytes() / 16);

/** A byte for each value, which programs take as they are; or words of flags where variables lie on a device, to which masks travel. */
export const maskFeeds = ({
  largestArrayBytes,
  threads,
}: Pick<Engine, 'largestArrayBytes' | 'threads'>): MaskFeeds =>
  largestArrayBytes === undefined ? masksOfBytes : new PackedMasks(threads);

const masksOfBytes: MaskFeeds = {
  specs: (sites) => sites.map(({ shape }) => ({ shape, dtype: 'bool' })),
  keep: (fed) => (fed.length > 0 ? fed : undefined),
  // Drawn whenever they are asked for: of all texts together they would be large.
  ofStep: (draws) => draws.map((draw) => async () => dropoutMasks(draw)),
  dispose: async () => undefined,
};

class PackedMasks implements MaskFeeds {
  readonly #threads: MaskThreads;

  constructor(threads: number) {
    this.#threads = new MaskThreads(threads);
  }

  specs(sites: readonly DropoutSite[]): ArraySpec[] {
    return sites.map(({ shape }) => ({ shape: [shape[0]!, wordsPerText(shape)], dtype: 'int32' }));
  }

  keep(fed: readonly Tensor[], sites: readonly DropoutSite[]): readonly Tensor[] | undefined {
    if (sites.length === 0) return undefined;
    const tables = new Map(sites.map(({ rate }) => [rate, flagTable(keptScale(rate))]));
    return sites.map(({ shape, rate }, i) => {
      const flags = unpackFlags(fed[i] as Tensor2D, sizeOf(shape.slice(1)), tables.get(rate)!);
      return tf.reshape(flags, [...shape]);
    });
  }

  /** The threads draw while the device computes: all that is kept is ordered at once. */
  ofStep(draws: readonly MaskDraw[]): (() => Promise<NumericArray[]>)[] {
    let left = mostKeptBytes();
    const kept = draws.filter((draw) => {
      left -= draw.sites.reduce((sum, { shape }) => sum + 4 * shape[0]! * wordsPerText(shape), 0);
      return left >= 0;
    });
    const words = this.#threads.draw(kept);
    // A step waits for them later than they may fail, or not at all where another fails.
    for (const each of words) void each.catch(() => undefined);
    return draws.map((draw, i) => () => words[i] ?? this.#threads.draw([draw])[0]!);
  }

  dispose(): Promise<void> {
    return this.#threads.end();
  }
}

const wordsPerText = (shape: readonly number[]): number => wordsFor(sizeOf(shape.slice(1)));
