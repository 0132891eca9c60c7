/**
 * Mutations of files: of their bytes, of text, of JSON, and within packed files. What a file holds is seen from its bytes, so
 * that a loader only has to give valid ones. All draws come from the stream: the same stream gives the same input.
 */
import { isUtf8 } from 'node:buffer';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Stream } from '../../harness/random.js';
import { mutateBytes, several } from './byte-mutations.js';
import { mutateJson } from './json-mutations.js';
import type { Files } from './loader.js';
import { isSafetensors, mutateSafetensors, mutateTar } from './packed-mutations.js';
import { mutateText } from './text-mutations.js';

/** No mutation makes an input larger; growth of time with size has tests of its own. */
const largestBytes = 1 << 22;

/** One input: one of the valid ones with one of its files mutated, or gone. */
export function mutatedInput(valid: readonly Files[], random: Stream): { base: number; files: Files } {
  const base = random.integer(valid.length);
  const files = valid[base]!;
  const names = Object.keys(files);
  const name = random.choose(names);
  const { [name]: bytes, ...others } = files;
  if (names.length > 1 && random.integer(50) === 0) return { base, files: others };
  return { base, files: { ...others, [name]: mutated(Buffer.from(bytes!), random) } };
}

/** The bytes with a few mutations of what they are. */
export function mutated(bytes: Buffer, random: Stream): Buffer {
  const made = byContent(bytes, random);
  return made.length > largestBytes ? made.subarray(0, largestBytes) : made;
}

function byContent(bytes: Buffer, random: Stream): Buffer {
  if (random.integer(4) === 0) return several(bytes, random, mutateBytes);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return gzipSync(byContent(gunzipSync(bytes), random), { level: 1 });
  }
  if (bytes.toString('latin1', 257, 262) === 'ustar') return mutateTar(bytes, random);
  if (isSafetensors(bytes)) return mutateSafetensors(bytes, random);
  if (bytes.length === 0 || !isUtf8(bytes)) return several(bytes, random, mutateBytes);
  const text = bytes.toString();
  if (/^\s*[[{]/.test(text) && random.integer(4) > 0) {
    const made = mutateJson(text, random) ?? mutateJsonLine(text, random);
    if (made !== undefined) return Buffer.from(made);
  }
  return several(bytes, random, mutateText);
}

function mutateJsonLine(text: string, random: Stream): string | undefined {
  const lines = text.split('\n');
  const line = random.integer(lines.length);
  const made = mutateJson(lines[line]!, random);
  if (made === undefined) return undefined;
  lines[line] = made;
  return lines.join('\n');
}
