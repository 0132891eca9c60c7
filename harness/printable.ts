/** Texts for a terminal. Names come from collections, checkpoints and file systems, and can hold what a terminal takes for orders. */

/** Control characters, and those that turn the direction of what follows or begin a line. */
const orders = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const written = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text in which all of them but line ends and tabs are written out, `\u001b`, as JSON has them: JSON stays what it was. */
export function printable(text: string): string {
  return text.replace(orders, (character) => (/[\n\t]/.test(character) ? character : written(character)));
}

/** A name within a line or a cell: nothing in it ends the line. */
export const printableName = (name: string): string => name.replace(orders, written);
