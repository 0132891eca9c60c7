/** What spreadsheets make of texts. */

/** A spreadsheet takes a text that begins like this for a formula, and names come from outside. */
export function harmless(text: string): string {
  // A number with its sign, as ids that are signed hashes have it, is no formula, and an id has to stay what it is.
  return /^[=+\-@\t\r]/.test(text) && !/^[+-]\d+$/.test(text) ? `'${text}` : text;
}
