/** The metrics of every step as JSON lines, `steps.jsonl`. */
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { fileError } from '../errors.js';
import { parseJson } from '../json.js';
import { writeAtomic } from '../store/atomic.js';
import { assertHeld } from '../store/fence.js';
import { logFile } from '../store/log-file.js';
import { readPlainText } from '../store/plain-file.js';
import type { StepResult } from './step.js';

export interface StepLine extends StepResult {
  /** From 0. */
  epoch: number;
  /** From 1, over all epochs. */
  step: number;
  /** What the loss was multiplied by, and whether nothing was updated since the gradient overflowed (its norm is null then); absent in float32. */
  lossScale?: number;
  skipped?: boolean;
  learningRate: number;
  milliseconds: number;
  /** Share of the time that was not spent on the engine. */
  javascriptShare: number;
}

export class StepLog {
  readonly #file: string;
  #pending = '';

  constructor(folder: string) {
    this.#file = path.join(folder, logFile);
  }

  /**
   * Drops the lines of steps after `step`, which will be made again. A line that a kill or a crash has damaged goes too: nothing is
   * computed from the log.
   */
  async rewind(step: number): Promise<void> {
    const text = await readPlainText(this.#file).catch(() => '');
    const kept = text.split('\n').filter((line) => {
      const found = stepIn(line);
      return found !== undefined && found <= step;
    });
    await writeAtomic(this.#file, kept.map((line) => `${line}\n`).join(''));
  }

  add(line: StepLine): void {
    this.#pending += `${JSON.stringify(line)}\n`;
  }

  /** Writes what has been added. @throws LostLock, see `assertHeld` */
  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text === '') return;
    await assertHeld(this.#file);
    try {
      await appendFile(this.#file, text);
    } catch (error) {
      throw fileError(error, this.#file);
    }
  }
}

/** Undefined where the line is not whole. */
function stepIn(line: string): number | undefined {
  try {
    const { step } = (parseJson(line) ?? {}) as Partial<StepLine>;
    return Number.isInteger(step) ? step : undefined;
  } catch {
    return undefined;
  }
}
