/** What a worker has left for tasks, beside those that it is at. */
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
