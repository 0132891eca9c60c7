/** Numbers of JSON as they stand in the file: JavaScript's have 53 bits, and ids can have more. */

/** The digits of a member whose value is `number`. @param text the JSON that holds the member, on any level */
export function writtenNumber(text: string, name: string, number: number): string {
  const member = new RegExp(
    `${JSON.stringify(name).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}\\s*:\\s*(-?\\d[\\d.eE+-]*)`,
    'g',
  );
  const written = [...text.matchAll(member)].map(([, digits]) => digits!);
  // Of several members with this name, the last is the one that JSON.parse keeps.
  return written.findLast((digits) => Number(digits) === number) ?? String(number);
}

/**
 * An id that is written as a number, as a string.
 * @returns undefined where it is no whole number, or one that JavaScript cannot tell from its neighbours
 */
export function idOfNumber(number: number): string | undefined {
  return Number.isSafeInteger(number) ? String(number) : undefined;
}
