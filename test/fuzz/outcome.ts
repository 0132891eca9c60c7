/** What may become of an input, and how a fault is told from a refusal. */
import { BenchError } from '../../harness/errors.js';
import { type Files, type Loader, UnfitResult } from './loader.js';

export type FaultKind =
  /** An error that is not one of ours: a bug to whoever meets it (exit code 70). */
  | 'error'
  /** One of ours, with a code that this loader does not give. */
  | 'code'
  /** Taken, and not as it is promised: not finite, twice, out of range. */
  | 'result'
  /** Longer than 5 seconds. */
  | 'hang'
  /** The process ended by a signal, or by itself. */
  | 'death'
  /** More than 512 MiB. */
  | 'memory'
  /** A file appeared, or went, outside of what the loader may write. */
  | 'outside'
  /** Files that stay open. */
  | 'open files';

export interface Fault {
  loader: string;
  seed: number;
  number: number;
  kind: FaultKind;
  /** What happened, and where: faults that agree in it are one. */
  signature: string;
  text: string;
}

export const limits = { seconds: 5, memoryMiB: 512 };

export type Outcome = { accepted: true } | { refused: string } | { kind: FaultKind; error: unknown };

/** @returns 'accepted', the code of a refusal, or a fault */
export async function outcomeOf(loader: Loader, folder: string): Promise<Outcome> {
  try {
    await loader.load(folder);
    return { accepted: true };
  } catch (error) {
    if (error instanceof UnfitResult) return { kind: 'result', error };
    if (!(error instanceof BenchError)) return { kind: 'error', error };
    if (!loader.codes.includes(error.code)) return { kind: 'code', error };
    return { refused: error.code };
  }
}

/** The kind, the error without what is of this input alone, and the first places of the program in its stack. */
export function signatureOf(kind: FaultKind, error: unknown): string {
  if (!(error instanceof Error)) return `${kind}: ${String(error).slice(0, 200)}`;
  const frames = (error.stack ?? '')
    .split('\n')
    .flatMap(
      (line) => /\/((?:harness|datasets|reports|architectures)\/[\w./-]+\.js:\d+)/.exec(line)?.[1] ?? [],
    )
    .slice(0, 2);
  const code = error instanceof BenchError ? error.code : error.name;
  const plain = error.message
    .slice(0, 300)
    .replace(/(\/[^\s:'"]+)+/g, 'PATH')
    .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
    .replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, 'N');
  return `${kind}: ${code}: ${kind === 'code' || frames.length > 0 ? '' : plain.slice(0, 80)} ${frames.join(' < ')}`;
}

export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = (error.stack ?? '').split('\n').slice(0, 12).join('\n');
  return `${error.message.slice(0, 600)}\n${stack.slice(0, 2000)}`;
}

/** An input that failed, as it is saved and replayed. */
export interface SavedInput extends Fault {
  files: Record<string, string>;
}

export const packed = (files: Files): Record<string, string> =>
  Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  );

export const unpacked = (files: Readonly<Record<string, string>>): Files =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes, 'base64')]));
