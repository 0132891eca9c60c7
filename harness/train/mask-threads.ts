/** Threads that draw dropout masks: every text has its own stream, so what is drawn does not depend on how many they are. */
import { AskedThread } from '../program/asked-thread.js';
import { sizeOf } from '../tensor/engine.js';
import { concatenate } from './concatenate.js';
import { type MaskDraw, packedMasks } from './dropout-masks.js';

/** Those of a part, drawn in some milliseconds. Fewer in all are drawn here: asking a thread would take longer. */
const partValues = 1 << 22;
const mostThreads = 16;

export class MaskThreads {
  readonly most: number;
  readonly #threads: AskedThread<MaskDraw, Int32Array[]>[] = [];
  /** Values that each has yet to draw. */
  readonly #waiting: number[];

  /** @param threads of the machine, of which this one, which feeds the device, keeps its own */
  constructor(threads: number) {
    this.most = Math.min(Math.max(1, threads - 1), mostThreads);
    this.#waiting = new Array<number>(this.most).fill(0);
  }

  get started(): number {
    return this.#threads.length;
  }

  /**
   * What `packedMasks` gives for each. All are asked for at once, in this order and behind what was asked for before, so that all
   * threads draw what is needed first.
   * @returns of each a promise that fails where its thread ends; whoever waits for it later than that gives it a `catch`
   */
  draw(draws: readonly MaskDraw[]): Promise<Int32Array[]>[] {
    const values = draws.reduce((sum, draw) => sum + draw.places.length * valuesPerText(draw), 0);
    if (values < partValues) return draws.map(async (draw) => packedMasks(draw));
    return draws.map((draw) => this.#inParts(draw));
  }

  async #inParts(draw: MaskDraw): Promise<Int32Array[]> {
    const parts = await Promise.all(partsOf(draw).map((part) => this.#part(part)));
    if (parts.length === 1) return parts[0]!;
    return draw.sites.map((_, site) =>
      concatenate(
        Int32Array,
        parts.map((part) => part[site]!),
      ),
    );
  }

  /** The thread that has least to draw draws it, started when it is first asked. */
  async #part(part: MaskDraw): Promise<Int32Array[]> {
    const waiting = this.#waiting;
    const at = waiting.indexOf(Math.min(...waiting));
    this.#threads[at] ??= new AskedThread(
      new URL('./mask-thread.js', import.meta.url),
      'a thread that draws dropout masks',
    );
    const values = part.places.length * valuesPerText(part);
    waiting[at]! += values;
    try {
      return await this.#threads[at].ask(part);
    } finally {
      waiting[at]! -= values;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

const valuesPerText = ({ sites, drawnFor = sites }: MaskDraw): number =>
  drawnFor.reduce((sum, { shape }) => sum + sizeOf(shape.slice(1)), 0);

/** Some texts each, of about `partValues` together; one text, which has one stream, is never cut. */
function partsOf(draw: MaskDraw): MaskDraw[] {
  const texts = draw.places.length;
  const perPart = Math.ceil(texts / Math.ceil((texts * valuesPerText(draw)) / partValues));
  return Array.from({ length: Math.ceil(texts / perPart) }, (_, i) => {
    const places = draw.places.slice(i * perPart, (i + 1) * perPart);
    const sites = draw.sites.map(({ shape, rate }) => ({ shape: [places.length, ...shape.slice(1)], rate }));
    return { ...draw, sites, places };
  });
}
