/** What a field of a file can hold that it should not, put into every field in turn. */
const absurdValues: readonly unknown[] = [
  ...[-1, 0, 0.5, 1e9, 1e308, Number.POSITIVE_INFINITY],
  ...[null, true, 'x', '', [], {}, [null], [[]], '\u0000'],
];

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null;

/**
 * Every variant of a JSON value in which one member is something else, or is not there.
 * @param most members of an object or a list that are gone through
 */
export function* withAbsurdFields(value: unknown, most = 8): Generator<{ what: string; value: unknown }> {
  for (const keys of placesIn(value as Json, most)) {
    const path = keys.join('.');
    for (const absurd of absurdValues) {
      yield {
        what: `${path} = ${String(JSON.stringify(absurd))}`,
        value: changed(value as Json, keys, absurd),
      };
    }
    yield { what: `${path} left out`, value: changed(value as Json, keys, undefined) };
  }
}

function* placesIn(value: Json, most: number): Generator<string[]> {
  if (value === null || typeof value !== 'object') return;
  for (const [key, member] of Object.entries(value).slice(0, most)) {
    yield [key];
    for (const rest of placesIn(member, most)) yield [key, ...rest];
  }
}

/** A copy in which a member is another; what is undefined is left out. */
function changed(value: Json, [key, ...rest]: readonly string[], to: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  if (rest.length > 0) copy[key!] = changed(copy[key!] as Json, rest, to);
  else if (to !== undefined) copy[key!] = to;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key!];
  return copy;
}
