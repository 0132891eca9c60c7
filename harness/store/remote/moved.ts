/** Files on their way to a store or from it: how far they are, and how many go at once. */
import { type Told, worthTellingBytes } from '../content.js';

/** Small ones wait for answers; large ones are sent in parts besides. */
const filesAtOnce = 4;

/** Works on all of them, a few at a time. @throws what the first fails with, once none is worked on any more */
export async function atOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed: { reason: unknown } | undefined;
  const worker = async () => {
    while (next < all.length && failed === undefined) {
      try {
        await work(all[next++]!);
      } catch (reason) {
        failed ??= { reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(filesAtOnce, all.length) }, worker));
  if (failed !== undefined) throw failed.reason;
}

/** Says how far it is, where it takes longer than anybody waits for. */
export class Moved {
  readonly #stage: ReturnType<Told['stage']> | undefined;
  readonly #startedMs = performance.now();
  #doneBytes = 0;
  #movedBytes = 0;

  constructor(
    title: string,
    files: readonly { sizeBytes: number }[],
    readonly told: Told | undefined,
  ) {
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (totalBytes >= worthTellingBytes) this.#stage = told?.stage(title, totalBytes, 'bytes');
  }

  by(bytes: number): void {
    this.#doneBytes += bytes;
    this.#movedBytes += Math.max(0, bytes);
    this.#stage?.update(this.#doneBytes);
    this.told?.checkInterrupted();
  }

  end(): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    this.#stage?.end(`${(this.#movedBytes / 2 ** 20 / seconds).toFixed(0)} MiB/s`);
  }
}
