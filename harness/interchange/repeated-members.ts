/** Members of JSON objects that have one name twice, which JSON.parse passes over: it keeps the last. */
import { closingQuote, parseJson } from '../json.js';

/**
 * The first member of `{ query: { passage: number } }` that comes again.
 * @param text valid JSON of that form
 * @param kept how many members JSON.parse kept, inner and outer ones; where the text has no more, there is nothing to seek
 * @returns the query's name, and the passage's where that is what comes again
 */
export function repeatedMember(text: string, kept: number): [string, string?] | undefined {
  const outer = new Set<string>();
  let inner = new Set<string>();
  let depth = 0;
  let members = 0;
  let queryId = '';
  let first: [string, string?] | undefined;
  const structure = /["{}]/g;
  const colon = /\s*:/y;
  for (let part = structure.exec(text); part !== null; part = structure.exec(text)) {
    if (part[0] === '{') depth++;
    else if (part[0] === '}') depth--;
    else {
      // Strings go by in one step, so that what they hold is not taken for structure.
      const end = closingQuote(text, part.index + 1) + 1;
      if (end === 0) break;
      structure.lastIndex = end;
      colon.lastIndex = end;
      if (!colon.test(text)) continue;
      members++;
      const name = parseJson(text.slice(part.index, end)) as string;
      if (depth === 1) {
        if (outer.has(name)) first ??= [name];
        outer.add(name);
        queryId = name;
        inner = new Set();
      } else {
        if (inner.has(name)) first ??= [queryId, name];
        inner.add(name);
      }
    }
  }
  return members === kept ? undefined : first;
}
