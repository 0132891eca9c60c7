/** Sees to it that a worker that measures does nothing else: what it is at ends before, and nothing is begun meanwhile. */
export class Alone {
  readonly #inHand = new Map<Promise<unknown>, string>();
  #isTaken = false;

  /** Whether nothing else may begin. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** @param title of what is begun beside others */
  beside<T>(title: string, work: () => Promise<T>): Promise<T> {
    const working = work().finally(() => this.#inHand.delete(working));
    this.#inHand.set(working, title);
    return working;
  }

  /** @param waits is told the titles of what is waited for */
  async with<T>(waits: (titles: readonly string[]) => void, work: () => Promise<T>): Promise<T> {
    this.#isTaken = true;
    try {
      if (this.#inHand.size > 0) waits([...this.#inHand.values()]);
      await Promise.allSettled(this.#inHand.keys());
      return await work();
    } finally {
      this.#isTaken = false;
    }
  }
}
