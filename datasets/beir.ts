/**
 * BEIR (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/*.tsv, the layout of 19 collections and of many more that
 * others publish. `beir --data DIR` opens any folder of that layout.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset, DatasetPlugin, DatasetRequest, Passage, Split } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { assertWritable } from '../harness/interchange/identifiers.js';
import { inspect, type PlacedId } from '../harness/interchange/inspection.js';
import { jsonLines, stringMember } from '../harness/interchange/json-lines.js';
import { readQrels } from '../harness/interchange/qrels.js';
import type { TextStart } from '../harness/interchange/text-blocks.js';
import { downloadOf, forums, layout, licenceOf, variants } from './beir/names.js';
import { assertFolder, describeAll, findIn, needIn, remembered, unpacked } from './collection/files.js';
import { judgedPassages, judgedSplits, type SplitFiles, splits } from './collection/judged.js';
import { placedPassages } from './collection/placed.js';
import { QueryList } from './collection/query-list.js';
import { qrelNames } from './collection/reported-split.js';

const code = 'DATA_INVALID';

/** The folder that holds corpus.jsonl. */
async function folderOf(request: DatasetRequest): Promise<string> {
  const { folder, variant } = request;
  if (folder === undefined) {
    const download = downloadOf(variant);
    if (variant === undefined || download.url === '') {
      const what = variant === undefined ? 'beir opens a folder' : `beir/${variant} is not public`;
      throw new BenchError('PATH_INVALID', `${what}, and no folder was given.`, {
        hint: download.instructions!,
      });
    }
    return path.join(await unpacked(request, download), ...variant.split('/'));
  }
  await assertFolder(folder, layout);
  if (variant === undefined) return folder;
  // A folder of several collections, as the archives unpack; or that of cqadupstack.
  const [group, forum] = variant.split('/');
  const places = [
    path.join(folder, group!, forum ?? ''),
    ...(forum === undefined ? [] : [path.join(folder, forum)]),
  ];
  for (const place of places) if ((await findIn(place, ['corpus.jsonl'])) !== undefined) return place;
  // One folder must not be taken for all twelve forums.
  if (forum === undefined || path.basename(path.resolve(folder)) === forum) return folder;
  throw new BenchError('PATH_INVALID', `There is no ${forum}/corpus.jsonl in ${folder}.`, {
    hint: `Give the folder that holds ${forums.join(', ')}, as cqadupstack.zip unpacks. ${layout}`,
  });
}

async function* passagesOf(file: string, from?: TextStart): AsyncGenerator<Passage & PlacedId> {
  for await (const row of jsonLines(file, code, from)) {
    const { line: place, start } = row;
    const passageId = stringMember(row, '_id', file, code);
    assertWritable(passageId, () => `${file}, line ${row.line}: the _id`);
    const title = stringMember(row, 'title', file, code, '');
    const text = stringMember(row, 'text', file, code);
    yield { passageId, title, text, place, start };
  }
}

async function queriesOf(file: string): Promise<QueryList['byId']> {
  const list = new QueryList();
  for await (const row of jsonLines(file, code)) {
    const query = {
      queryId: stringMember(row, '_id', file, code),
      text: stringMember(row, 'text', file, code),
    };
    list.add(query, file, `line ${row.line}`, 'the _id');
  }
  if (list.byId.size === 0) throw new BenchError(code, `${file} holds no queries.`, { hint: layout });
  return list.byId;
}

/**
 * Judgements that are passed over: a split that is called otherwise would be missed without a word. Of the collections by name it is
 * known what else their folders hold.
 */
async function strangeQrels(folder: string, variant: string | undefined): Promise<string[]> {
  if (variant !== undefined) return [];
  const names = await readdir(path.join(folder, 'qrels')).catch(() => []);
  const known = Object.values(qrelNames(variant)).flatMap((name) => (name ? [name, `${name}.gz`] : []));
  const strange = names
    .filter((name) => /\.(tsv|txt|csv)(\.gz)?$/.test(name) && !known.includes(name))
    .sort();
  if (strange.length === 0) return [];
  const [are, list] = [
    strange.length === 1 ? 'is' : 'are',
    strange.map((name) => `qrels/${name}`).join(', '),
  ];
  return [`${list} ${are} not read: the qrels of a split are called train.tsv, dev.tsv or test.tsv.`];
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const { variant } = request;
  const folder = await folderOf(request);
  const corpus = await needIn(folder, ['corpus.jsonl'], layout);
  const queriesFile = await needIn(folder, ['queries.jsonl'], layout);
  const queries = await queriesOf(queriesFile);
  const files = [corpus, queriesFile];
  const bySplit = {} as Record<Split, SplitFiles>;
  for (const split of splits) {
    const name = qrelNames(variant)[split];
    const file = name === undefined ? undefined : await findIn(path.join(folder, 'qrels'), [name]);
    if (file !== undefined) files.push(file);
    bySplit[split] = { queries, qrels: file === undefined ? undefined : await readQrels(file) };
  }
  const { passageCount, absent, starts } = await remembered(request, 'beir inspection 2', files, () =>
    inspect(
      () => passagesOf(corpus),
      judgedPassages(bySplit),
      (line) => `${path.basename(corpus)}, line ${line}`,
    ),
  );
  if (passageCount === 0) throw new BenchError(code, `${corpus} holds no passages.`, { hint: layout });
  const judged = judgedSplits(bySplit, new Set(absent), `qrels/${qrelNames(variant).test}`);
  return {
    name: variant === undefined ? 'beir' : `beir/${variant}`,
    version: 'beir-1',
    licence: licenceOf(variant),
    files: await describeAll(request, files),
    passageCount,
    // The queries of ArguAna and Quora are passages themselves. BEIR's evaluation drops identical ids in all its collections
    // (ignore_identical_ids), beir/msmarco among them, where they are equal by chance: its figures are of that rule.
    dropsIdenticalIds: true,
    // BEIR evaluates with pytrec_eval.
    tieRule: 'trec_eval',
    trainsOn: 'each-positive',
    remarks: [...judged.remarks, ...(await strangeQrels(folder, variant))],
    passages: () => placedPassages((start) => passagesOf(corpus, start), starts),
    queries: async (split) => judged.splits[split].queries,
    qrels: async (split) => judged.splits[split].qrels,
  };
}

const beir: DatasetPlugin = {
  summary:
    'BEIR: 15 public collections by name, four that have to be rebuilt, or any folder of its layout with --data',
  variants,
  groups: { cqadupstack: forums.map((forum) => `cqadupstack/${forum}`) },
  downloads: (variant) => [downloadOf(variant)],
  open,
};

export default beir;
