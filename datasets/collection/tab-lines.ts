/** Files of `id<TAB>text`, unquoted: MS MARCO's collection and queries, and TREC topics as many hand them around. */
import type { Query } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { textLines } from '../../harness/interchange/json-lines.js';
import type { TextStart } from '../../harness/interchange/text-blocks.js';
import { QueryList } from './query-list.js';

export interface IdentifiedText {
  id: string;
  text: string;
  /** From 1. */
  line: number;
  /** Where reading can begin with it; absent of most. */
  start?: TextStart | undefined;
}

/**
 * @param from as `textBlocks` has it
 * @throws BenchError DATA_INVALID with the line number where there are not two columns, or the first is empty
 */
export async function* tabLines(file: string, from?: TextStart): AsyncGenerator<IdentifiedText> {
  for await (const { text: whole, line, start } of textLines(file, 'DATA_INVALID', from)) {
    if (whole === '') continue;
    const tab = whole.indexOf('\t');
    const second = whole.indexOf('\t', tab + 1);
    if (tab > 0 && second < 0) {
      yield { id: whole.slice(0, tab), text: whole.slice(tab + 1), line, start };
      continue;
    }
    const what =
      tab < 0 ? 'no tab' : tab === 0 ? 'no id before the tab' : `${whole.split('\t').length} columns`;
    throw new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
      hint: 'Each line is an id, one tab, and a text without tabs.',
    });
  }
}

/** The queries of such a file, by id. @throws BenchError DATA_INVALID where one comes twice, naming both lines */
export async function tabQueries(file: string): Promise<Map<string, Query>> {
  const list = new QueryList();
  for await (const { id, text, line } of tabLines(file))
    list.add({ queryId: id, text }, file, `line ${line}`, 'the query id');
  if (list.byId.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no queries.`);
  return list.byId;
}
