/** What a worker has left for tasks, beside those that it is at; and that one which measures does nothing else. */
import type { MachineNeeds } from '../pipeline/memory-needs.js';
import { isEnough, needsText, type Offer, offerText, without } from './offer.js';

/** What a worker says whose disk was full. */
export const diskFull = 'the disk is full';

export class Room {
  /** A disk that was full once takes nothing more. */
  isFull = false;
  readonly #inHand = new Set<MachineNeeds>();
  readonly #told = new Set<string>();

  constructor(readonly offer: Offer) {}

  /** Whether it is enough where nothing else is in hand. */
  couldHold(needs: MachineNeeds): boolean {
    return isEnough(this.#offered, needs);
  }

  /** Whether it is enough beside what is in hand. */
  holds(needs: MachineNeeds): boolean {
    return isEnough([...this.#inHand].reduce(without, this.#offered), needs);
  }

  async with<T>(needs: MachineNeeds, work: () => Promise<T>): Promise<T> {
    const own = { ...needs };
    this.#inHand.add(own);
    try {
      return await work();
    } finally {
      this.#inHand.delete(own);
    }
  }

  /** @returns what is offered to a task that is left to others, and whether such a one is the first */
  left(needs: MachineNeeds): { text: string; isNew: boolean } {
    const text = this.isFull ? diskFull : offerText(this.offer);
    const what = `${needsText(needs)} ${text}`;
    const isNew = !this.#told.has(what);
    this.#told.add(what);
    return { text, isNew };
  }

  get #offered(): Offer {
    return this.isFull ? { ...this.offer, diskMiB: 0 } : this.offer;
  }
}

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
