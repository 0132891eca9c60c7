/** Errors that say what happened, the value seen and what to do. Imports nothing of ours but what hints may name. */
import { placesOffered, whereOffered } from './offered.js';

/** Every code, with the exit code of the command that ends with it: 2 the request was wrong, 3 the machine lacks something. */
export const exitCodes = {
  /** The command line could not be understood. */
  USAGE: 2,
  /** The configuration holds one or more wrong values; the message lists them all. */
  CONFIG_INVALID: 2,
  /** An architecture, dataset, engine, searcher, measure or report that does not exist. */
  UNKNOWN_NAME: 2,
  /** A file in a plug-in folder does not export what its folder promises, or does not load. */
  PLUGIN_INVALID: 2,
  /** A plug-in threw an error that is not one of ours: a fault of its code, or of what it was given. */
  PLUGIN_FAILED: 2,
  /** A folder or file the user named is not there, or is of the wrong kind. */
  PATH_INVALID: 2,
  /** A dataset's file does not hold what its format promises. */
  DATA_INVALID: 2,
  /** A checkpoint cannot be used: missing, truncated, misshapen, not finite. */
  CHECKPOINT_INVALID: 2,
  /** A run record or a run file cannot be used. */
  RECORD_INVALID: 2,
  /** What lies in the cache is damaged, or a copy of it; `--repair` makes it anew. */
  CACHE_INVALID: 2,
  /** Training cannot go on: the loss is not a finite number. */
  TRAINING_DIVERGED: 2,
  /** A trained model cannot be written in the format asked for, or what was written computes something else. */
  EXPORT_FAILED: 2,
  /** The sources have changed and do not build. */
  BUILD_FAILED: 2,
  /** An engine, searcher or package cannot be loaded on this machine, or the device that computes is lost. */
  UNAVAILABLE: 3,
  /** The network is needed and cannot be used, or what came is not what was promised. */
  DOWNLOAD_FAILED: 3,
  /** The disk is full. */
  DISK_FULL: 3,
  /** A folder cannot be written to. */
  NOT_WRITABLE: 3,
  /** What is asked for needs more memory than there is. */
  OUT_OF_MEMORY: 3,
  /** A task of a sweep that many machines share failed; the message says why. */
  TASK_FAILED: 3,
  /** Another process holds what this one needs. */
  LOCKED: 3,
  /** Stopped by Ctrl-C or a termination signal; start the same command again to go on. */
  INTERRUPTED: 130,
} as const;

/** Of an error that is not one of ours, which is a bug (EX_SOFTWARE of sysexits.h): never 1, which says that something got worse. */
export const bugExitCode = 70;

export type ErrorCode = keyof typeof exitCodes;

export interface ErrorOptions {
  /** What to do about it: a command, or the way to write it right. */
  hint?: string;
  cause?: unknown;
}

/** No message is longer, whatever the value that it quotes. */
const longestMessage = 10_000;

function readable(text: string): string {
  if (text.length <= longestMessage) return text;
  return `${text.slice(0, longestMessage)}... (${text.length - longestMessage} more characters)`;
}

/** The only error a user should ever see: anything else is a bug and keeps its stack. */
export class BenchError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(readable(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BenchError';
    this.code = code;
    this.hint = options.hint === undefined ? undefined : readable(options.hint);
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }

  /** As a message to another process or thread carries it. */
  get sent(): SentError {
    const { code, message, hint } = this;
    return { code, message, ...(hint !== undefined && { hint }) };
  }

  /** One that a message brought. */
  static received({ code, message, hint }: SentError): BenchError {
    return new BenchError(code, message, hint === undefined ? {} : { hint });
  }
}

export interface SentError {
  code: ErrorCode;
  message: string;
  hint?: string;
}

/** Where the first frame of a stack that names a file lies; `dist` is the folder that holds this file's. */
const plugInFrame =
  /^(?:(?!file:).)*?(file:\S*\/)(architectures\/|datasets\/|reports\/|harness\/(?:costs|encoders|metrics\/measures|precisions|searchers|systems)\/)([\w./-]+)\.js:\d+:\d+/;

/** What Node and ONNX Runtime say where the system gives them no memory. */
const withoutMemory = /^Array buffer allocation failed$|\bbad_alloc\b|Failed to allocate memory/i;

/**
 * An error of another kind than ours, as one of ours that keeps it as its cause, where it is no bug of ours: a plug-in threw it,
 * which is named then, or there was no memory. Any other is given back as it is.
 */
export function foreignFault(error: unknown): unknown {
  if (error instanceof BenchError || !(error instanceof Error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (/WebAssembly.*(out of memory|allocate)/i.test(message)) {
    return new BenchError(
      'OUT_OF_MEMORY',
      `This process may not set aside the address space that WebAssembly needs: 10 GiB for each module, nearly all of which stays unused (${message}).`,
      {
        hint: 'Raise the limit of the address space (ulimit -v, prlimit --as) to 100 GiB or lift it, or have bench do without: NODE_OPTIONS=--disable-wasm-trap-handler',
        cause: error,
      },
    );
  }
  if (code === 'ENOMEM' || code === 'ERR_MEMORY_ALLOCATION_FAILED' || withoutMemory.test(message)) {
    return new BenchError('OUT_OF_MEMORY', `This machine gave no more memory: ${message}`, {
      hint: 'End other programs, raise a limit set for this one (ulimit -v, prlimit --as, that of a container), or make batches and models smaller.',
      cause: error,
    });
  }
  return pluginFault(error);
}

function pluginFault(error: Error): unknown {
  const frame = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .find((line) => line.includes('file:'));
  const [, folder, kind, name] = frame?.match(plugInFrame) ?? [];
  if (folder !== new URL('..', import.meta.url).href) return error;
  return new BenchError('PLUGIN_FAILED', `The plug-in ${kind}${name}.ts failed: ${error.message}`, {
    hint: 'The lines below say where. A plug-in tells of wrong input with BenchError of harness/errors.ts, and then needs no such lines.',
    cause: error,
  });
}

/** Letters to put in, leave out or change, or neighbours to turn round, for "did you mean" (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isTurned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const turned = isTurned ? before[j - 2]! + 1 : substitution;
      row.push(Math.min(substitution, turned, previous[j]! + 1, row[j - 1]! + 1));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/**
 * The known name nearest to `name`, or undefined where none is near: at most a third of its letters off. Of `GROUP/NAME` the
 * second part is enough: `scifact` is near `beir/scifact`.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    for (const written of new Set([candidate, candidate.slice(candidate.indexOf('/') + 1)])) {
      // So many letters at least are another; a name as long as a file must not be compared letter by letter.
      if (Math.abs(written.length - name.length) >= bestDistance) continue;
      const distance = editDistance(name.toLowerCase(), written.toLowerCase());
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
  }
  return best;
}

/** The error for a name that is not among the known ones. */
export function unknownName(kind: string, name: string, known: readonly string[]): BenchError {
  const near = nearestName(name, known);
  const suggestion = near === undefined ? '' : ` Did you mean '${near}'?`;
  return new BenchError('UNKNOWN_NAME', `There is no ${kind} '${name}'.${suggestion}`, {
    hint: `Known: ${known.join(', ')}.`,
  });
}

/** Whether it comes to a good end. */
export const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

const on = (text: string, tell: (text: string) => string): string => (text === '' ? '' : tell(text));

/** Turns the file system's own errors into ours where the user can act on them; gives others back unchanged. */
export function fileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BenchError('DISK_FULL', `The disk is full: ${path} could not be written.`, {
      hint: `Free some space${on(placesOffered('and'), (options) => `, or point ${options} at another disk`)}${whereOffered(['cache'], '; what was complete is kept and the same command goes on from there')}.`,
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new BenchError('NOT_WRITABLE', `${path} cannot be written to (${code}).`, {
      hint: `Choose a place that you may write to${on(placesOffered('and'), (options) => ` with ${options}`)}.`,
      cause: error,
    });
  }
  return error;
}

/** The error for a file that a user names and that cannot be read; one that says so already is given back. */
export function unreadable(file: string, cause: unknown, hint?: string): BenchError {
  if (cause instanceof BenchError) return cause;
  const message = `${file} cannot be read: ${(cause as Error).message}.`;
  return new BenchError('PATH_INVALID', message, { cause, ...(hint !== undefined && { hint }) });
}

/** The error for a file of a user's that is not what it was when its hash was taken: what is made of it would have another's name. */
export function changedWhileRead(file: string): BenchError {
  return new BenchError('DATA_INVALID', `${file} was changed while it was read.`, {
    hint: 'Run again once whatever writes it is done.',
  });
}

/** The error for a file of the cache that does not hold what it should. */
export function damaged(path: string, what: string, cause?: unknown): BenchError {
  return new BenchError('CACHE_INVALID', `${path} ${what}.`, {
    hint: 'Delete the folder it lies in; the next run makes it again.',
    cause,
  });
}
