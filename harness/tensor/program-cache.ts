/** Keeps the programs that were used last, so that shapes that come back need not be compiled again. */
import type { Program } from './engine.js';

export class ProgramCache {
  readonly #programs = new Map<string, Promise<Program>>();

  /** @param capacity how many programs are kept; each holds its own working memory */
  constructor(readonly capacity: number) {}

  async get(key: string, compile: () => Promise<Program>): Promise<Program> {
    let program = this.#programs.get(key);
    // Taken out and put back in, so that the map's order is the order of use.
    if (program !== undefined) this.#programs.delete(key);
    else {
      for (const [oldest, dropped] of this.#programs) {
        if (this.#programs.size < this.capacity) break;
        this.#programs.delete(oldest);
        await (await dropped).dispose();
      }
      program = compile();
    }
    this.#programs.set(key, program);
    try {
      return await program;
    } catch (error) {
      // It is none to let go of later, and may be compiled when there is more memory.
      if (this.#programs.get(key) === program) this.#programs.delete(key);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).dispose();
    this.#programs.clear();
  }
}
