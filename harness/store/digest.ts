/** JSON files of the cache that hold a hash over themselves, so that a change of any of their values is found. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './hash.js';

/** @returns the value as it is read again, whatever JSON makes of it, with a hexadecimal sha256 over its other members */
export function withDigest<T extends object>(value: T): T & { digest: string } {
  const body = JSON.parse(JSON.stringify(value)) as T;
  return { ...body, digest: digestOf(body) };
}

/** Whether a value is as `withDigest` made it. @throws RangeError where it is nested too deep */
export function hasItsDigest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'digest' in value && value.digest === digestOf(value);
}

function digestOf(value: object): string {
  const { digest: _, ...body } = value as { digest?: unknown };
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}
