/** Hashes that name things: files by their bytes, artifacts by what they are made from. */
import { createHash } from 'node:crypto';
import { assertGoesOn } from '../interruption.js';
import { openPlain } from './plain-file.js';

export type HashAlgorithm = 'sha256' | 'md5';

/** Read at once: larger blocks leave the processor's cache before they are hashed, smaller ones are asked for too often. */
const blockBytes = 1 << 20;

/**
 * The hexadecimal hash of a file. A block is read while the one before is hashed.
 * @param onBytes told how many bytes were hashed since it was told before; what it throws ends the reading
 */
export async function hashFile(
  file: string,
  algorithm: HashAlgorithm = 'sha256',
  onBytes?: (bytes: number) => void,
): Promise<string> {
  const hash = createHash(algorithm);
  const handle = await openPlain(file);
  try {
    let [block, next] = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
    let reading = handle.read(block, 0, blockBytes, null);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      reading = handle.read(next, 0, blockBytes, null);
      // Waited for at the next turn; where none comes its failure is nobody's.
      void reading.catch(() => undefined);
      hash.update(block.subarray(0, bytesRead));
      assertGoesOn();
      [block, next] = [next, block];
      onBytes?.(bytesRead);
    }
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/** JSON with sorted keys, so that equal values have equal texts. Undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The name of something made from `inputs`: 20 hexadecimal digits of a sha256. */
export function keyOf(inputs: unknown): string {
  return createHash('sha256').update(canonicalJson(inputs)).digest('hex').slice(0, 20);
}
