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
 * The blocks between `<NAME ...>` and `</NAME>`; what stands between blocks is passed over.
 * @param name in any case
 * @throws BenchError DATA_INVALID with the line where a block opens that is not closed
 */
export async function* blocksOf(file: string, name: string): AsyncGenerator<Block> {
  const opening = new RegExp(`<${name}(\\s[^>]*)?>`, 'i');
  const closing = new RegExp(`</${name}\\s*>`, 'i');
  const begun = new RegExp(`<${name}(?:\\s[^>]*)?$`, 'i');
  let block: Block | undefined;
  // An opening tag whose attributes go on in the next line.
  let tag: { text: string; line: number } | undefined;
  for await (const { text, line } of textLines(file, 'DATA_INVALID')) {
    let rest = tag === undefined ? text : `${tag.text}\n${text}`;
    const first = tag?.line ?? line;
    tag = undefined;
    for (;;) {
      if (block === undefined) {
        const found = opening.exec(rest);
        if (found === null) {
          if (begun.test(rest)) tag = { text: rest, line: first };
          if (rest.length > longestBlock)
            throw notClosed(file, name, { attributes: '', content: '', line: first });
          break;
        }
        block = { attributes: found[1] ?? '', content: '', line: first };
        rest = rest.slice(found.index + found[0].length);
      }
      const end = closing.exec(rest);
      if (end === null) {
        block.content += `${rest}\n`;
        if (block.content.length > longestBlock) throw notClosed(file, name, block);
        break;
      }
      block.content += rest.slice(0, end.index);
      yield block;
      block = undefined;
      rest = rest.slice(end.index + end[0].length);
    }
  }
  if (tag !== undefined) throw notClosed(file, name, { attributes: '', content: '', line: tag.line });
  if (block !== undefined) throw notClosed(file, name, block);
}

function notClosed(file: string, name: string, { line }: Block): BenchError {
  return new BenchError('DATA_INVALID', `${file}, line ${line}: <${name}> opens and is not closed.`, {
    hint: `Every <${name}> needs its </${name}>. Was the file cut short?`,
  });
}

/** The contents of all elements of this name, one after another; undefined where there is none. */
export function contentOf(content: string, names: string): string | undefined {
  const element = new RegExp(`<(${names})(?:\\s[^>]*)?>([\\s\\S]*?)</\\1\\s*>`, 'gi');
  const found = [...content.matchAll(element)].map(([, , inside]) => inside!);
  return found.length === 0 ? undefined : found.join('\n');
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
  return content
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/<\/?[A-Za-z][^<>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name]!)
    .replace(/\s+/g, ' ')
    .trim();
}
