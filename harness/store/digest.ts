/** JSON files of the cache that hold a hash over themselves, so that a change of any of their values is found. */

import { createHash } from 'node:crypto';
import { parseJson } from '../json.js';
import { canonicalJson } from './hash.js';

/** @returns the value as it is read again, whatever JSON makes of it, with a hexadecimal sha256 over its other members */
export function withDigest<T extends object>(value: T): T & { digest: string } {
  const body = parseJson(JSON.stringify(value)) as T;
  return { ...body, digest: digestOf(body) };
}

/** Whether a value is as `withDigest` made it. */
export function hasItsDigest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('digest' in value)) return false;
  try {
    return value.digest === digestOf(value);
  } catch (error) {
    // Nested deeper than anything that was written.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function digestOf(value: object): string {
  const { digest: _, ...body } = value as { digest?: unknown };
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}
