/** Mutations of JSON: members that go, come twice or change their type, numbers and nesting that no writer would give. */
import type { Stream } from '../../harness/random.js';

/** Stands for text that JSON.stringify would not write; put in after it has. */
const mark = '@@raw:';
const marked = /"@@raw:([^"]*)"/g;
const raw = (text: string): string => `${mark}${Buffer.from(text).toString('base64')}`;

const nested = (depth: number): string => raw('['.repeat(depth) + ']'.repeat(depth));
const nestedMembers = (depth: number): string => raw(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

const values: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 2, 0.5, 255, 65536, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e15],
  ...[
    1e308,
    raw('-0'),
    raw('1e999'),
    raw('-1e999'),
    raw('9007199254740993'),
    raw('NaN'),
    raw('1'.repeat(400)),
  ],
  ...['', 'a', ' ', '0', '-1', '\0', '\u001b[31m', 'é', '\ud800', '\u2028', 'a\tb', 'a\nb', '../../x', '/x'],
  ...['__proto__', 'constructor', 'toString', 'length', 'null', '[', '(', '(a+)+$', '\\', '*'],
  ...[[], {}, [[]], [null], [1, 2], { a: 1 }, raw('{"__proto__":{"x":1}}'), raw('{"a":1,"a":2}')],
];
/** Costly ones, drawn seldom. */
const large: readonly unknown[] = [
  ...[nested(100), nested(5000), nested(200_000), nestedMembers(5000), nestedMembers(100_000)],
  ...['x'.repeat(70_000), raw(`[${'0,'.repeat(20_000)}0]`), raw(`"${'\\u0000'.repeat(5000)}"`)],
];
const names = ['__proto__', 'constructor', '', 'a', '0', 'length', '\0', 'toString'];

type Holder = Record<string, unknown> | unknown[];

/** The text with one to three mutations of what it holds; undefined where it is no JSON. */
export function mutateJson(text: string, random: Stream): string | undefined {
  let root: { value: unknown };
  try {
    root = { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
  for (let left = 1 + random.integer(3); left > 0; left--) mutateOne(root, random);
  const written = JSON.stringify(root.value) ?? '';
  return written.replace(marked, (_, packed: string) => Buffer.from(packed, 'base64').toString());
}

function anyValue(random: Stream): unknown {
  // A copy: what is put in may itself be mutated.
  return structuredClone(random.integer(40) === 0 ? random.choose(large) : random.choose(values));
}

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;
const keysOf = (holder: Holder): string[] => Object.keys(holder);
const take = (holder: Holder, key: string): unknown => (holder as Record<string, unknown>)[key];

function put(holder: Holder, key: string, value: unknown): void {
  // An assignment to `__proto__` would set the prototype instead of a member.
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A member somewhere below: shallow ones more often, so that a long list does not take all the draws. */
function anyPlace(root: { value: unknown }, random: Stream): [Holder, string] {
  let holder: Holder = root;
  let key = 'value';
  for (;;) {
    const inner = take(holder, key);
    const keys = isHolder(inner) ? keysOf(inner) : [];
    if (keys.length === 0 || random.integer(6) === 0) return [holder, key];
    [holder, key] = [inner as Holder, random.choose(keys)];
  }
}

function mutateOne(root: { value: unknown }, random: Stream): void {
  const [holder, key] = anyPlace(root, random);
  const value = take(holder, key);
  const other = (): unknown => {
    switch (random.integer(5)) {
      case 0: {
        // What stands elsewhere.
        const [from, name] = anyPlace(root, random);
        return structuredClone(take(from, name));
      }
      case 1:
        return otherType(value);
      case 2:
        return typeof value === 'number' ? otherNumber(value, random) : anyValue(random);
      default:
        return anyValue(random);
    }
  };
  const kind = random.integer(9);
  if (kind === 0) remove(root, holder, key);
  else if (kind === 1) twice(holder, key, value, random);
  else if (kind === 2 && !Array.isArray(holder) && holder !== root) {
    delete (holder as Record<string, unknown>)[key];
    put(holder, random.choose(names), value);
  } else if (kind === 3 && Array.isArray(value)) value.push(anyValue(random));
  else if (kind === 3 && isHolder(value)) put(value, random.choose(names), anyValue(random));
  else put(holder, key, other());
}

function remove(root: object, holder: Holder, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (holder !== root) delete (holder as Record<string, unknown>)[key];
}

/** The same once more: under its name, or as another item. */
function twice(holder: Holder, key: string, value: unknown, random: Stream): void {
  if (Array.isArray(holder)) holder.splice(random.integer(holder.length + 1), 0, value);
  else put(holder, key, raw(`${JSON.stringify(value)},${JSON.stringify(key)}:${JSON.stringify(value)}`));
}

function otherType(value: unknown): unknown {
  if (Array.isArray(value)) return Object.fromEntries(value.map((item, i) => [`k${i}`, item]));
  if (isHolder(value)) return Object.values(value);
  if (typeof value === 'string') return Number.isNaN(Number(value)) ? [value] : Number(value);
  return value === null ? {} : String(value);
}

function otherNumber(value: number, random: Stream): number | string {
  const others = [value + 1, value - 1, -value, value * 1000, value / 3, value + 2 ** 31, value * 1e12];
  return random.choose([...others, raw(`${value}0000000000`), String(value)]);
}
