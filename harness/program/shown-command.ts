/** What was typed, as records and people may see it: an address may hold a name and a password. */

/** The address of a queue without what nobody should read. */
export function shownAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

const queueAddress = /(?:rediss?|postgres(?:ql)?):\/\/.*$/is;
const nameAndPassword = /(:\/\/)[^/?#]*@/g;

/** The arguments of this process, wherever in them an address stands: `--on URL`, `--on=URL`. */
export const shownCommand = (argv: readonly string[] = process.argv.slice(2)): string[] =>
  argv.map((word) => word.replace(queueAddress, shownOrHidden).replace(nameAndPassword, '$1'));

function shownOrHidden(url: string): string {
  try {
    return shownAddress(url);
  } catch {
    return url.replace(/:\/\/.*$/s, '://...');
  }
}
