/** How far a long job is, told on stderr, and whether it has been asked to stop. */

import { counted } from './counted.js';
import { assertGoesOn } from './interruption.js';
import { printable, printableName } from './printable.js';

export interface StageProgress {
  /**
   * Call it as often as you like; most calls print nothing.
   * @param done of the stage's total, in its unit
   * @param note something worth seeing beside it, such as the loss
   */
  update(done: number, note?: string): void;
  /** The stage is over. */
  end(note?: string): void;
}

export interface Progress {
  /** Aborted when the job is to stop. */
  readonly signal: AbortSignal;
  /**
   * Begins a stage. Stages come one after another; one that begins ends the one before it.
   * @param total how much there is to do, where that is known
   * @param unit what is counted: 'steps', 'passages', 'bytes'
   */
  stage(name: string, total?: number, unit?: string): StageProgress;
  /** A line of its own. */
  note(line: string): void;
  /** A line of its own, where the same was not said before. */
  remark(line: string): void;
  /**
   * What the stages from now on belong to: `mlr-sc, seed 2, 3 of 9`; nothing where absent.
   * @param left how long everything will still take, in words, where that is known
   */
  within(title?: string, left?: () => string | undefined): void;
  /** Call it between two steps, where stopping loses nothing. @throws BenchError INTERRUPTED */
  checkInterrupted(): void;
}

export interface ProgressOptions {
  signal?: AbortSignal;
  /** Where it is told; stderr where absent. */
  output?: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  /** Milliseconds that only grow. */
  now?: () => number;
}

/** Where a line stands that is still rewritten. */
let unfinished: NonNullable<ProgressOptions['output']> | undefined;

/**
 * Ends the line that a terminal shows of a stage, so that what is written next, an error, has one of its own.
 * @returns whether there was one
 */
export function finishLine(): boolean {
  const finished = unfinished !== undefined;
  unfinished?.write('\n');
  unfinished = undefined;
  return finished;
}

const rewriteEveryMs = 100;
const lineEveryMs = 30_000;

/**
 * On a terminal one line is rewritten, ten times a second at most. Elsewhere (a log, CI) a stage says when it begins
 * and ends, and every half minute how far it is.
 */
export function createProgress(options: ProgressOptions = {}): Progress {
  const {
    signal = new AbortController().signal,
    output = process.stderr,
    now = () => performance.now(),
  } = options;
  const terminal = output.isTTY === true;
  let open: { end(note?: string): void } | undefined;
  let prefix = '';
  let totalLeft: () => string | undefined = () => undefined;
  const said = new Set<string>();

  const rewrite = (text: string) => {
    output.write(`\r\u001B[2K${printableName(text).slice(0, (output.columns ?? 100) - 1)}`);
    unfinished = output;
  };
  const line = (text: string) => {
    output.write(`${terminal ? '\r\u001B[2K' : ''}${printable(text)}\n`);
    unfinished = undefined;
  };

  return {
    signal,
    note: line,
    remark(text) {
      if (!said.has(text)) line(text);
      said.add(text);
    },
    within(title, left) {
      prefix = title === undefined ? '' : `${title}: `;
      totalLeft = left ?? (() => undefined);
    },
    checkInterrupted: () => assertGoesOn(signal),
    stage(title, total, unit = '') {
      open?.end();
      const name = `${prefix}${title}`;
      const startMs = now();
      let first: { done: number; ms: number } | undefined;
      let shownMs = terminal ? Number.NEGATIVE_INFINITY : startMs;
      let lastDone = 0;
      let ended = false;
      if (!terminal) line(`${name}${total === undefined ? '' : `: ${count(total, unit)}`}`);
      const stage: StageProgress = {
        update(done, note) {
          if (ended) return;
          lastDone = done;
          const time = now();
          // What a resumed stage finds done already says nothing about its rate.
          first ??= { done, ms: time };
          if (time - shownMs < (terminal ? rewriteEveryMs : lineEveryMs)) return;
          shownMs = time;
          const state = describe({
            name,
            total,
            unit,
            done,
            newlyDone: done - first.done,
            elapsedMs: time - first.ms,
            inAll: totalLeft(),
            note,
          });
          if (terminal) rewrite(state);
          else line(state);
        },
        end(note) {
          if (ended) return;
          ended = true;
          open = undefined;
          const what = lastDone > 0 ? `${count(lastDone, unit)} in ` : '';
          line(`${name}: ${what}${duration(now() - startMs)}${note === undefined ? '' : `, ${note}`}`);
        },
      };
      open = stage;
      return stage;
    },
  };
}

/** Tells nothing; for tests and for callers that have their own way to tell. */
export function silentProgress(signal: AbortSignal = new AbortController().signal): Progress {
  return {
    signal,
    note: () => undefined,
    remark: () => undefined,
    within: () => undefined,
    checkInterrupted: () => assertGoesOn(signal),
    stage: () => ({ update: () => undefined, end: () => undefined }),
  };
}

interface State {
  name: string;
  total: number | undefined;
  unit: string;
  done: number;
  /** Done since the first call, and the time that took. */
  newlyDone: number;
  elapsedMs: number;
  /** What everything will still take. */
  inAll: string | undefined;
  note: string | undefined;
}

function describe({ name, total, unit, done, newlyDone, elapsedMs, inAll, note }: State): string {
  const parts: string[] = [];
  const share = total === undefined || total === 0 ? '' : ` (${Math.floor((100 * done) / total)}%)`;
  parts.push(
    `${name}: ${total === undefined ? count(done, unit) : `${short(done, unit)} of ${count(total, unit)}`}${share}`,
  );
  const perSecond = elapsedMs > 0 ? (newlyDone * 1000) / elapsedMs : 0;
  if (perSecond > 0) {
    parts.push(rate(perSecond, unit));
    if (total !== undefined && done < total)
      parts.push(`${duration(((total - done) / perSecond) * 1000)} left`);
  }
  if (inAll !== undefined) parts.push(`${inAll} left in all`);
  if (note !== undefined) parts.push(note);
  return parts.join(', ');
}

/** `12/s`, `1.0 MiB/s`; what takes longer than a second is told by the minute, and what takes minutes by what one takes. */
function rate(perSecond: number, unit: string): string {
  if (perSecond >= 1) return `${short(perSecond, unit)}/s`;
  if (perSecond * 60 >= 1) return `${short(perSecond * 60, unit)}/min`;
  return `${duration(1000 / perSecond)} each`;
}

function count(value: number, unit: string): string {
  if (unit === 'bytes' || unit === '') return short(value, unit);
  return value === 1 ? counted(1, unit) : `${short(value, unit)} ${unit}`;
}

function short(value: number, unit: string): string {
  if (unit === 'bytes') return byteSize(value);
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** A number of bytes as people say it: `572.0 MiB`. */
export function byteSize(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** A duration as people say it: `4.2 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
