/** Documents and topics in TREC's formats, and as `id<TAB>text`. */
import path from 'node:path';
import type { Passage, Query } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { assertQueryId } from '../../harness/interchange/identifiers.js';
import { textLines } from '../../harness/interchange/json-lines.js';
import { tabLines, tabQueries } from '../collection/tab-lines.js';
import { blocksOf, contentOf, plain, textAfter, withoutElements } from './tagged.js';

export type PlacedPassage = Passage & { place: string };

/** Whether the first line that is not empty begins with a tag. */
async function isTagged(file: string): Promise<boolean> {
  for await (const { text } of textLines(file, 'DATA_INVALID')) {
    if (text.trim() !== '') return text.trimStart().startsWith('<');
  }
  throw new BenchError('DATA_INVALID', `${file} is empty.`);
}

/**
 * The passages of some files. `<DOC>`: the id is `<DOCNO>`, the title `<TITLE>`, `<HEADLINE>` or `<HL>`, the text all
 * `<TEXT>`, or everything else where there is none. Else each line is an id, a tab and a text.
 * @throws BenchError DATA_INVALID with file and line
 */
export async function* passagesOf(files: readonly string[]): AsyncGenerator<PlacedPassage> {
  for (const file of files) {
    const name = path.basename(file);
    if (!(await isTagged(file))) {
      for await (const { id, text, line } of tabLines(file)) {
        yield { passageId: id, title: '', text, place: `${name}, line ${line}` };
      }
      continue;
    }
    for await (const { content, line } of blocksOf(file, 'doc')) {
      const passageId = plain(contentOf(content, 'docno') ?? '');
      if (passageId === '' || passageId.includes(' ')) {
        throw new BenchError(
          'DATA_INVALID',
          `${file}, line ${line}: a document whose <DOCNO> is '${passageId}'.`,
          {
            hint: 'Every <DOC> needs a <DOCNO> of one word.',
          },
        );
      }
      const titles = 'title|headline|hl';
      const text = contentOf(content, 'text') ?? withoutElements(content, `docno|${titles}`);
      yield {
        passageId,
        title: plain(contentOf(content, titles) ?? ''),
        text: plain(text),
        place: `${name}, line ${line}`,
      };
    }
  }
}

/**
 * The topics of a file: `<top>` with `<num>` and `<title>` (closed or not), `<topic number="...">` (or `id`) with `<title>`,
 * `<query>` or nothing but text, or lines of an id, a tab and a text.
 * @throws BenchError DATA_INVALID with file and line
 */
export async function topicsOf(file: string): Promise<Map<string, Query>> {
  if (!(await isTagged(file))) return tabQueries(file);
  const queries = new Map<string, Query>();
  const lines = new Map<string, number>();
  for (const name of ['top', 'topic']) {
    for await (const { attributes, content, line } of blocksOf(file, name)) {
      const queryId = (
        /(?:^|\s)(?:number|id)\s*=\s*["']?([^"'\s>]+)/i.exec(attributes)?.[1] ??
        field(content, 'num|identifier')
      ).replace(/^number:\s*/i, '');
      const elements = [...new Set([...content.matchAll(/<([a-z][\w-]*)/gi)].map(([, tag]) => `<${tag}>`))];
      const text = (elements.length === 0 ? plain(content) : field(content, 'title|query')).replace(
        /^topic:\s*/i,
        '',
      );
      if (queryId === '' || text === '') {
        const has = elements.length === 0 ? 'nothing' : elements.join(', ');
        throw new BenchError(
          'DATA_INVALID',
          `${file}, line ${line}: a topic with the number '${queryId}' and the title '${text}'; it holds ${has}.`,
          {
            hint: 'Every topic needs a number (<num>, or number="..." in its tag) and a <title>, a <query>, or text alone. Of other elements write the one that is to be searched as <title>.',
          },
        );
      }
      assertQueryId(queryId, () => `${file}, line ${line}: the number`);
      const earlier = lines.get(queryId);
      if (earlier !== undefined) {
        throw new BenchError(
          'DATA_INVALID',
          `Two topics have the number '${queryId}': ${file}, line ${earlier} and line ${line}.`,
        );
      }
      lines.set(queryId, line);
      queries.set(queryId, { queryId, text });
    }
  }
  if (queries.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no topics.`);
  return queries;
}

/** A field of a topic goes on to its end tag, or to the next tag where TREC left that out. */
function field(content: string, names: string): string {
  return plain(textAfter(content, names) ?? '');
}
