/** What spreadsheets make of texts. */

/** A spreadsheet takes a text that begins like this for a formula, and names come from outside. */
export function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
