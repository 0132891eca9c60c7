/** Numbers of things, in words. */

/**
 * `1,000 queries`, `1 query`
 * @param things more than one of them, with whatever has to agree: `queries have`
 * @param thing one of them: `query has`; `things` without its plural ending where absent
 */
export const counted = (count: number, things: string, thing: string = oneOf(things)): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? thing : things}`;

const oneOf = (things: string): string => things.replace(/ies$/, 'y').replace(/(ss|x)es$|s$/, '$1');
