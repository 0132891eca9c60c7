/** How dropout masks reach a program: what is fed for them, and what an encoder gets of that. */
import { isDeepStrictEqual } from 'node:util';
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
  /**
   * Orders what the next `ofStep` will ask for; call it behind the present one. Returns at once, and what is not asked for is dropped
   * by that `ofStep` or by `dispose`.
   */
  ahead(draws: readonly MaskDraw[]): void;
  /** Whether `ahead` does anything. */
  readonly drawsAhead: boolean;
  /** Draws that were ordered ahead and asked for, of all steps together. */
  readonly taken: number;
  dispose(): Promise<void>;
}

/**
 * Bytes of words that are held at once: of the step that is computed, and of the next one as much as there is room for beside them. Those
 * of 128 passages of 256 tokens in BERT-base are a quarter of a GiB a step; a small machine needs its memory for other things. While the
 * parts of a draw are joined, they are there once more.
 */
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
  ahead: () => undefined,
  drawsAhead: false,
  taken: 0,
  dispose: async () => undefined,
};

/** What the threads were asked for. */
interface Ordered {
  draw: MaskDraw;
  words: Promise<Int32Array[]>;
}

class PackedMasks implements MaskFeeds {
  readonly drawsAhead = true;
  taken = 0;
  readonly #threads: MaskThreads;
  /** Of the next step, the first of its draws. */
  #ahead: readonly Ordered[] = [];
  /** Bytes that may still be kept. */
  #room = 0;

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
    const ahead = this.#ahead;
    this.#ahead = [];
    this.#room = mostKeptBytes();
    const kept = this.#order(draws, ahead);
    this.taken += kept.filter(({ words }, i) => words === ahead[i]?.words).length;
    return draws.map((draw, i) => () => kept[i]?.words ?? this.#threads.draw([draw])[0]!);
  }

  ahead(draws: readonly MaskDraw[]): void {
    this.#ahead = this.#order(draws, []);
  }

  /** The first so many of these draws for which there is room. @param known in their order, of which those are taken that are the same */
  #order(draws: readonly MaskDraw[], known: readonly Ordered[]): Ordered[] {
    const kept = draws.filter((draw) => {
      this.#room -= draw.sites.reduce((sum, { shape }) => sum + 4 * shape[0]! * wordsPerText(shape), 0);
      return this.#room >= 0;
    });
    const isKnown = (draw: MaskDraw, i: number) => isDeepStrictEqual(known[i]?.draw, draw);
    const asked = this.#threads.draw(kept.filter((draw, i) => !isKnown(draw, i)));
    return kept.map((draw, i) => {
      if (isKnown(draw, i)) return known[i]!;
      const words = asked.shift()!;
      // A step waits for it later than it may fail, or not at all where another fails.
      void words.catch(() => undefined);
      return { draw, words };
    });
  }

  dispose(): Promise<void> {
    this.#ahead = [];
    return this.#threads.end();
  }
}

const wordsPerText = (shape: readonly number[]): number => wordsFor(sizeOf(shape.slice(1)));
