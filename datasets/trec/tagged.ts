/** Text between tags, as TREC has marked up documents and topics since 1992: SGML without a declaration, tags in any case. */
import { BenchError } from '../../harness/errors.js';
import { textLines } from '../../harness/interchange/json-lines.js';

/** No document or topic comes near this; one that does was never closed. */
const longestBlock = 1 << 26;

export interface Block {
  /** What stands in the opening tag after its name: ` number="1"`. */
  attributes: string;
  content: string;
  /** Line of the opening tag, from 1. */
  line: number;
}

/**
 * A text that comes line by line. Lines are put together some thousands at a time: a string of millions of pieces is gone through
 * by every collection of garbage.
 */
class GrowingText {
  length = 0;
  readonly #joined: string[] = [];
  #lines: string[] = [];

  add(line: string): void {
    this.length += line.length;
    if (this.#lines.push(line) < 4096) return;
    this.#joined.push(this.#lines.join(''));
    this.#lines = [];
  }

  whole(): string {
    return [...this.#joined, ...this.#lines].join('');
  }
}

/**
 * The blocks between `<NAME ...>` and `</NAME>`; what stands between blocks is passed over.
 * @param name in any case
 * @throws BenchError DATA_INVALID with the line where a block opens that is not closed
 */
export async function* blocksOf(file: string, name: string): AsyncGenerator<Block> {
  const closing = closingTag(name);
  let block: { line: number; attributes: string; content: GrowingText } | undefined;
  // An opening tag that goes on in the next line: its line, and its attributes so far.
  let tag: { line: number; attributes: GrowingText } | undefined;
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    let at = 0;
    if (tag !== undefined) {
      const end = text.indexOf('>');
      tag.attributes.add(`\n${end < 0 ? text : text.slice(0, end)}`);
      if (tag.attributes.length > longestBlock) throw notClosed(file, name, tag);
      if (end < 0) continue;
      block = { line: tag.line, attributes: tag.attributes.whole(), content: new GrowingText() };
      tag = undefined;
      at = end + 1;
    }
    for (;;) {
      if (block === undefined) {
        const found = openingTag(text, name, at);
        if (found === undefined) break;
        const { attributes, end } = found;
        if (end === undefined) {
          tag = { line, attributes: new GrowingText() };
          tag.attributes.add(attributes);
          break;
        }
        block = { line, attributes, content: new GrowingText() };
        at = end;
      }
      closing.lastIndex = at;
      const end = closing.exec(text);
      if (end === null) {
        block.content.add(`${text.slice(at)}\n`);
        if (block.content.length > longestBlock) throw notClosed(file, name, block);
        break;
      }
      block.content.add(text.slice(at, end.index));
      yield { ...block, content: block.content.whole() };
      block = undefined;
      at = closing.lastIndex;
    }
  }
  if (tag !== undefined) throw notClosed(file, name, tag);
  if (block !== undefined) throw notClosed(file, name, block);
}

function notClosed(file: string, name: string, { line }: { line: number }): BenchError {
  return new BenchError('DATA_INVALID', `${file}, line ${line}: <${name}> opens and is not closed.`, {
    hint: `Every <${name}> needs its </${name}>. Was the file cut short?`,
  });
}

interface Opening {
  index: number;
  name: string;
  attributes: string;
  /** What follows the tag; undefined where the text ends inside it. */
  end: number | undefined;
}

/**
 * The first opening tag of one of the names. Looked for step by step: one regular expression for a whole tag or element goes
 * through the rest of the text for every tag that is not closed.
 */
function openingTag(text: string, names: string, from: number, behind = '[\\s>]|$'): Opening | undefined {
  const start = new RegExp(`<(${names})(?=${behind})`, 'gi');
  start.lastIndex = from;
  const found = start.exec(text);
  if (found === null) return undefined;
  const end = text.indexOf('>', start.lastIndex);
  const attributes = text.slice(start.lastIndex, end < 0 ? undefined : end);
  return { index: found.index, name: found[1]!, attributes, end: end < 0 ? undefined : end + 1 };
}

const closingTag = (name: string, isBare = false): RegExp =>
  new RegExp(`</${name}${isBare ? '' : '\\s*'}>`, 'gi');

/** An element from its opening tag to its closing one. */
interface Element {
  index: number;
  content: string;
  end: number;
}

/**
 * The elements of these names, one after another; one that is not closed is none.
 * @param isBare those alone whose tags hold a name and nothing else
 */
function* elementsOf(text: string, names: string, isBare = false): Generator<Element> {
  const closings = new Map<string, RegExp | undefined>();
  for (let at = 0; ; ) {
    const tag = openingTag(text, names, at, isBare ? '>' : undefined);
    if (tag?.end === undefined) return;
    const name = tag.name.toLowerCase();
    const closing = closings.has(name) ? closings.get(name) : closingTag(name, isBare);
    if (closing !== undefined) closing.lastIndex = tag.end;
    const found = closing?.exec(text) ?? null;
    // Where a name is closed nowhere behind one of its tags, it is so behind the later ones.
    closings.set(name, found === null ? undefined : closing);
    at = found === null ? tag.end : closing!.lastIndex;
    if (found !== null) yield { index: tag.index, content: text.slice(tag.end, found.index), end: at };
  }
}

/** The contents of all elements of this name, one after another; undefined where there is none. */
export function contentOf(content: string, names: string): string | undefined {
  const found = [...elementsOf(content, names)];
  return found.length === 0 ? undefined : found.map((element) => element.content).join('\n');
}

/** The text with a blank in the place of each element of these names whose tags have no attributes. */
export function withoutElements(content: string, names: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { index, end } of elementsOf(content, names, true)) {
    pieces.push(content.slice(at, index));
    at = end;
  }
  return [...pieces, content.slice(at)].join(' ');
}

/** What follows the first tag of these names, up to the next tag: TREC often leaves the closing one out. */
export function textAfter(content: string, names: string): string | undefined {
  const { end } = openingTag(content, names, 0) ?? {};
  if (end === undefined) return undefined;
  const next = content.indexOf('<', end);
  return content.slice(end, next < 0 ? undefined : next);
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** Without tags and the commonest entities, white space as one blank. */
export function plain(content: string): string {
  return (
    withoutComments(content)
      .replace(/<\/?[A-Za-z][^<>]*>/g, ' ')
      .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name]!)
      // Where one blank stands there is nothing to put in its place: most texts have no other white space.
      .replace(/ \s+|[^\S ]\s*/g, ' ')
      .trim()
  );
}

function withoutComments(content: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (let start = content.indexOf('<!--'); start >= 0; start = content.indexOf('<!--', at)) {
    const end = content.indexOf('-->', start + 4);
    if (end < 0) break;
    pieces.push(content.slice(at, start));
    at = end + 3;
  }
  return [...pieces, content.slice(at)].join(' ');
}
