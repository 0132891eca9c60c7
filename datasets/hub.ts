/**
 * Collections of the Hugging Face hub in BEIR's form: corpus, queries and qrels, in Parquet or in JSON lines, as MTEB
 * (`mteb/scifact`), NanoBEIR (`zeta-alpha-ai/NanoSciFact`) and BEIR itself (`BeIR/scifact`, whose judgements are in
 * `BeIR/scifact-qrels`) publish them.
 */
import path from 'node:path';
import type {
  DataFile,
  Dataset,
  DatasetPlugin,
  DatasetRequest,
  HubRepository,
  Passage,
  Qrels,
  Split,
} from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { assertWritable } from '../harness/interchange/identifiers.js';
import { inspect } from '../harness/interchange/inspection.js';
import { readQrels } from '../harness/interchange/qrels.js';
import { parseHubName } from '../harness/store/hub-names.js';
import { describeAll, remembered } from './collection/files.js';
import { judgedPassages, judgedSplits, type SplitFiles, splits } from './collection/judged.js';
import { QueryList } from './collection/query-list.js';
import { qrelNames } from './collection/reported-split.js';
import type { Layout } from './hub/layout.js';
import { sourcesOf } from './hub/source.js';
import { tableRows } from './hub/tables.js';

const code = 'DATA_INVALID';
const form = 'OWNER/NAME';
const id = { names: ['_id', 'id'], kind: 'id' } as const;
const text = { names: ['text'], kind: 'text' } as const;
const passageColumns = [id, { names: ['title'], kind: 'text', missing: '' }, text] as const;
const queryColumns = [id, text, { names: ['instruction'], kind: 'text', missing: '' }] as const;
/** NanoBEIR has no scores: what is listed is relevant. */
const qrelColumns = [
  { names: ['query-id'], kind: 'id' },
  { names: ['corpus-id'], kind: 'id' },
  { names: ['score'], kind: 'grade', missing: '1' },
] as const;

async function* passagesOf(files: readonly string[]): AsyncGenerator<Passage & { place: string }> {
  for (const file of files) {
    for await (const { where, values } of tableRows(file, passageColumns)) {
      const place = `${file}, ${where}`;
      const [passageId, title, passage] = values as [string, string, string];
      assertWritable(passageId, () => `${place}: the _id`);
      yield { passageId, title, text: passage, place };
    }
  }
}

async function queriesOf(files: readonly string[]): Promise<QueryList['byId']> {
  const list = new QueryList();
  for (const file of files) {
    for await (const { where, values } of tableRows(file, queryColumns)) {
      const [queryId, query, instruction] = values as [string, string, string];
      if (instruction !== '') throw instructed(`${file}, ${where}`, queryId, instruction);
      list.add({ queryId, text: query }, file, where, 'the _id');
    }
  }
  if (list.byId.size === 0) throw new BenchError(code, `${files.join(', ')}: there are no queries.`);
  return list.byId;
}

/** Without it a query asks for something else, and its figures would be those of another task. */
function instructed(place: string, queryId: string, instruction: string): BenchError {
  const shown = JSON.stringify(instruction.slice(0, 60));
  return new BenchError(
    code,
    `${place}: query '${queryId}' has an instruction, ${shown}, and queries are searched as their text alone.`,
    {
      hint: "Write it into the queries' texts in a copy of the repository, as its evaluation joins them, and read that with --data DIR.",
    },
  );
}

async function qrelsOf(files: readonly string[]): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  const judge = (place: string, queryId: string, passageId: string, relevance: number) => {
    const judged = qrels.get(queryId) ?? new Map<string, number>();
    if (judged.has(passageId))
      throw new BenchError(code, `${place}: passage '${passageId}' is judged twice for query '${queryId}'.`);
    qrels.set(queryId, judged.set(passageId, relevance));
  };
  for (const file of files) {
    if (/\.tsv(\.gz)?$/.test(file)) {
      for (const [queryId, judged] of await readQrels(file))
        for (const [passageId, relevance] of judged) judge(file, queryId, passageId, relevance);
      continue;
    }
    for await (const { where, values } of tableRows(file, qrelColumns)) {
      const [queryId, passageId, relevance] = values as [string, string, string];
      judge(`${file}, ${where}`, queryId, passageId, Number(relevance));
    }
  }
  if (qrels.size === 0) throw new BenchError(code, `${files.join(', ')}: there are no qrels.`);
  return qrels;
}

const otherNames: Readonly<Record<string, string>> = { validation: 'dev', valid: 'dev', val: 'dev' };

/** Which of the publisher's splits is which of ours; what only one split judges is what is reported. */
function splitsOf(qrels: Layout['qrels'], name: string): { chosen: Map<Split, string>; remarks: string[] } {
  const names = [...qrels.keys()];
  const ours = (published: string) => otherNames[published] ?? published;
  const chosen = new Map<Split, string>();
  const remarks: string[] = [];
  if (names.length === 1) {
    chosen.set('test', names[0]!);
    if (ours(names[0]!) !== 'test')
      remarks.push(`The one split of the qrels, '${names[0]}', is taken for the test queries.`);
    return { chosen, remarks };
  }
  // BEIR reports MS MARCO by its dev queries.
  const variant = /(^|\/)msmarco(@|$)/i.test(name) ? 'msmarco' : undefined;
  const named = qrelNames(variant);
  for (const split of splits) {
    const wanted = named[split]?.replace('.tsv', '');
    const published = names.find((each) => ours(each) === wanted);
    if (published !== undefined) chosen.set(split, published);
  }
  if (chosen.size === 0) {
    throw new BenchError(
      code,
      `${name} has qrels of the splits '${names.join("', '")}', none of which is train, dev, validation or test.`,
      { hint: 'Several collections in one repository are not read: name a repository of one of them.' },
    );
  }
  const others = names.filter((each) => ![...chosen.values()].includes(each));
  if (others.length > 0) remarks.push(`The qrels of '${others.join("', '")}' are not read.`);
  return { chosen, remarks };
}

async function fetchAll({ fetch }: HubRepository, files: readonly string[]): Promise<string[]> {
  const fetched: string[] = [];
  for (const file of files) fetched.push(await fetch(file));
  return fetched;
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const { address, folder } = request;
  if (address === undefined && folder === undefined) {
    throw new BenchError('PATH_INVALID', 'hub opens a repository, and none was named.', {
      hint: `Write --dataset hub:${form}, or give the folder of a copy with --data DIR.`,
    });
  }
  const name = address ?? path.basename(path.resolve(folder!));
  const { own, judging } = await sourcesOf(request, name);
  const { chosen, remarks } = splitsOf(judging.layout.qrels, name);
  const { unread } = own.layout;
  if (unread.length > 0) remarks.push(`The configurations '${unread.join("', '")}' are not read.`);
  const corpus = await fetchAll(own.repository, own.layout.corpus);
  const queryFiles = await fetchAll(own.repository, own.layout.queries);
  const queries = await queriesOf(queryFiles);
  const files = [...corpus, ...queryFiles];
  const bySplit = {} as Record<Split, SplitFiles>;
  for (const split of splits) {
    const published = chosen.get(split);
    const fetched =
      published === undefined ? [] : await fetchAll(judging.repository, judging.layout.qrels.get(published)!);
    files.push(...fetched);
    bySplit[split] = { queries, qrels: published === undefined ? undefined : await qrelsOf(fetched) };
  }
  await own.repository.keep();
  if (judging !== own) await judging.repository.keep();
  const { passageCount, absent } = await remembered(request, 'hub inspection 1', files, () =>
    inspect(
      () => passagesOf(corpus),
      judgedPassages(bySplit),
      (place) => String(place),
    ),
  );
  if (passageCount === 0) throw new BenchError(code, `${corpus.join(', ')}: there are no passages.`);
  const judged = judgedSplits(bySplit, new Set(absent));
  return {
    name: address === undefined ? 'hub' : `hub:${address}`,
    version: versionOf(own.repository, judging.repository),
    licence: own.layout.licence ?? 'that of the repository',
    files: await named(request, files, own.repository, judging.repository),
    passageCount,
    // As in BEIR's own collections.
    dropsIdenticalIds: true,
    tieRule: 'trec_eval',
    trainsOn: 'each-positive',
    remarks: [...remarks, ...judged.remarks],
    async *passages() {
      for await (const { passageId, title, text: passage } of passagesOf(corpus))
        yield { passageId, title, text: passage };
    },
    queries: async (split) => judged.splits[split].queries,
    qrels: async (split) => judged.splits[split].qrels,
  };
}

/** The commits, so that a record says what was read; a folder has none. */
function versionOf(own: HubRepository, judging: HubRepository): string {
  const commits = [...new Set([own.revision, judging.revision])];
  return ['hub-1', ...commits.filter((commit) => commit !== 'folder')].join(' ');
}

/** The files by their paths within their repositories: those of several folders are often called alike. */
async function named(
  request: DatasetRequest,
  files: readonly string[],
  ...repositories: readonly HubRepository[]
): Promise<DataFile[]> {
  const described = await describeAll(request, files);
  return described.map((each, i) => {
    const home = repositories.find(({ folder }) => files[i]!.startsWith(folder + path.sep));
    return { ...each, name: path.relative(home!.folder, files[i]!).split(path.sep).join('/') };
  });
}

const hub: DatasetPlugin = {
  summary:
    "hub:OWNER/NAME, a collection of the Hugging Face hub in BEIR's form (mteb/scifact, BeIR/nfcorpus, zeta-alpha-ai/NanoSciFact), or a copy of one with --data",
  address: { form, fits: (address) => parseHubName(address)?.repository.includes('/') === true },
  downloads: () => [],
  open,
};

export default hub;
