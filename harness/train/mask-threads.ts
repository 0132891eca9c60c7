/** Threads that draw dropout masks: every text has its own stream, so what is drawn does not depend on how many they are. */
import { AskedThread } from '../program/asked-thread.js';
import { sizeOf } from '../tensor/engine.js';
import { concatenate } from './concatenate.js';
import { type MaskDraw, packedMasks } from './dropout-masks.js';

/** Fewer values are drawn here, in some milliseconds: asking a thread would take longer. */
const leastValues = 1 << 22;
const mostThreads = 8;

export class MaskThreads {
  readonly most: number;
  readonly #threads: AskedThread<MaskDraw, Int32Array[]>[] = [];
  #next = 0;

  constructor(threads: number) {
    this.most = Math.min(threads, mostThreads);
  }

  get started(): number {
    return this.#threads.length;
  }

  /**
   * What `packedMasks` gives, drawn here where there are few values.
   * @param parts how many threads it is shared out to
   */
  async draw(draw: MaskDraw, parts: number): Promise<Int32Array[]> {
    const values = (draw.drawnFor ?? draw.sites).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    if (values < leastValues) return packedMasks(draw);
    const texts = draw.places.length;
    const perPart = Math.ceil(texts / parts);
    const asked: Promise<Int32Array[]>[] = [];
    for (let first = 0; first < texts; first += perPart) {
      const places = draw.places.slice(first, first + perPart);
      const sites = draw.sites.map(({ shape, rate }) => ({
        shape: [places.length, ...shape.slice(1)],
        rate,
      }));
      asked.push(this.#thread().ask({ ...draw, sites, places }));
    }
    const drawn = await Promise.all(asked);
    return drawn.length === 1
      ? drawn[0]!
      : draw.sites.map((_, site) =>
          concatenate(
            Int32Array,
            drawn.map((part) => part[site]!),
          ),
        );
  }

  /** One after another, each started when it is first asked. */
  #thread(): AskedThread<MaskDraw, Int32Array[]> {
    const at = this.#next++ % this.most;
    this.#threads[at] ??= new AskedThread(
      new URL('./mask-thread.js', import.meta.url),
      'a thread that draws dropout masks',
    );
    return this.#threads[at];
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}
