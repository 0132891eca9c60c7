/** Settings laid on settings. */

/** Sections are merged key by key; anything else, lists included, is replaced. */
export function merge<T>(base: T, over: unknown): T {
  if (!isSection(base) || !isSection(over)) return structuredClone(over) as T;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = merge(merged[key], value);
  }
  return merged as T;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
