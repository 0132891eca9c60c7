/** Counts what is looked at and copied, by the methods of strings and bytes that do it: work that no clock has a part in. */

interface Method {
  on: object;
  name: string;
  /** What a call looked at or copied, in bytes or characters. */
  work(self: never, args: readonly unknown[], result: never): number;
}

const sought = (self: string | Buffer, args: readonly unknown[], found: number): number => {
  const from = typeof args[1] === 'number' ? args[1] : 0;
  return 1 + (found < 0 ? Math.max(0, self.length - from) : found - from);
};

const methods: readonly Method[] = [
  { on: String.prototype, name: 'indexOf', work: sought },
  { on: Buffer.prototype, name: 'indexOf', work: sought },
  {
    on: Buffer.prototype,
    name: 'lastIndexOf',
    work: (self: Buffer, _: readonly unknown[], found: number) => self.length - Math.max(0, found),
  },
  { on: Buffer, name: 'concat', work: (_: unknown, __: readonly unknown[], { length }: Buffer) => length },
  {
    on: Buffer.prototype,
    name: 'copy',
    work: (_: unknown, __: readonly unknown[], copied: number) => copied,
  },
  {
    on: Buffer.prototype,
    name: 'copyWithin',
    work: (_: unknown, args: readonly unknown[]) => Number(args[2]) - Number(args[1]),
  },
  {
    on: Buffer.prototype,
    name: 'toString',
    work: (_: unknown, __: readonly unknown[], { length }: string) => length,
  },
  { on: String.prototype, name: 'charCodeAt', work: () => 1 },
  {
    on: RegExp.prototype,
    name: 'exec',
    // At least so much; what a pattern goes through again does not show.
    work: (self: RegExp, args: readonly unknown[], found: RegExpExecArray | null) =>
      found === null
        ? String(args[0]).length
        : found[0].length + (self.global || self.sticky ? 0 : found.index),
  },
  { on: JSON, name: 'parse', work: (_: unknown, args: readonly unknown[]) => String(args[0]).length },
];

/** The work that is done until `job` ends. Nothing else may be done meanwhile. */
export async function workOf(job: () => Promise<unknown>): Promise<number> {
  let sum = 0;
  const undo = methods.map(({ on, name, work }) => {
    const own = Object.getOwnPropertyDescriptor(on, name);
    const original = (on as Record<string, (...args: unknown[]) => unknown>)[name]!;
    Object.defineProperty(on, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]) {
        const result = original.apply(this, args);
        sum += work(this as never, args, result as never);
        return result;
      },
    });
    return () => {
      if (own === undefined) Reflect.deleteProperty(on, name);
      else Object.defineProperty(on, name, own);
    };
  });
  try {
    await job();
  } finally {
    for (const each of undo) each();
  }
  return sum;
}
