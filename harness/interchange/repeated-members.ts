/** Members of JSON objects that have one name twice, which JSON.parse passes over: it keeps the last. */
import { closingQuote, parseJson } from '../json.js';

/**
 * The first member of `{ query: { passage: number } }` that comes again.
 * @param text valid JSON of that form
 * @param kept how many members JSON.parse kept, inner and outer ones; where the text has no more, there is nothing to seek
 * @returns the query's name, and the passage's where that is what comes again
 */
export function repeatedMember(text: string, kept: number): [string, string?] | undefined {
  if (countMembers(text) === kept) return undefined;
  const outer = new Set<string>();
  let inner = new Set<string>();
  let depth = 0;
  let queryId = '';
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
      const name = parseJson(text.slice(part.index, end)) as string;
      if (depth === 1) {
        if (outer.has(name)) return [name];
        outer.add(name);
        queryId = name;
        inner = new Set();
      } else {
        if (inner.has(name)) return [queryId, name];
        inner.add(name);
      }
    }
  }
  return undefined;
}

/** Far faster than to keep every name, and most files have none twice. */
function countMembers(text: string): number {
  let members = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = closingQuote(text, at + 1) + 1;
    if (at === 0) break;
    let next = at;
    while (isBlank(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === colonUnit) members++;
  }
  return members;
}

const colonUnit = 0x3a;
const isBlank = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
