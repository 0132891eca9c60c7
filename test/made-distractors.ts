/** The made collection in SQuAD's format, and another beside it that distractors come from. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import type { Passage } from '../harness/contracts.js';
import { readRun } from '../harness/interchange/trec.js';
import type { DistractorsChoice } from '../harness/pipeline/distractors.js';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import type { RunRecord } from '../harness/record.js';
import { Store } from '../harness/store/store.js';
import { run } from '../harness/sweep.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';

interface RawSquad {
  data: { title: string; paragraphs: { context: string; qas: unknown[] }[] }[];
}

let root: string;
export const inRoot = (...names: string[]) => path.join(root, ...names);

/** Passages of the words that the made collection has: they find their way between its own. */
export const drawn: Passage[] = Array.from({ length: 57 }, (_, i) => {
  const random = stream(2, 'added', String(i));
  const words = Array.from({ length: 14 }, () => `w${Math.floor(200 * random.uniform() ** 2)}`);
  return { passageId: String(i), title: 'added', text: words.join(' ') };
});

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-distractors-'));
  await mkdir(inRoot('squad'));
  await writeMadeSquad(inRoot('squad'));
  const [towns] = (await squadFile('dev')).data;
  const [birds] = (await squadFile('train')).data;
  await writeBeir('other', [
    ...drawn,
    { passageId: 'towns:0', title: '', text: 'the id of a relevant passage' },
    {
      passageId: 'copy',
      title: 'x',
      text: `  ${towns!.paragraphs[1]!.context.toUpperCase().replace(' ', '\n ')}`,
    },
    { passageId: 'of-birds', title: '', text: birds!.paragraphs[3]!.context },
    { passageId: 'birds:0', title: '', text: 'the id of another passage, which is no passage of it' },
  ]);
});
after(() => rm(root, { recursive: true, force: true }));

const squadFile = async (which: 'train' | 'dev', folder = 'squad') =>
  JSON.parse(await readFile(inRoot(folder, `${which}-v1.1.json`), 'utf8')) as RawSquad;

async function writeBeir(name: string, passages: readonly Passage[]): Promise<void> {
  await mkdir(inRoot(name, 'qrels'), { recursive: true });
  const lines = passages.map(({ passageId, ...texts }) => JSON.stringify({ _id: passageId, ...texts }));
  await writeFile(inRoot(name, 'corpus.jsonl'), `${lines.join('\n')}\n`);
  await writeFile(inRoot(name, 'queries.jsonl'), '{"_id":"q","text":"w1"}\n');
  await writeFile(
    inRoot(name, 'qrels/test.tsv'),
    `query-id\tcorpus-id\tscore\nq\t${passages[0]!.passageId}\t1\n`,
  );
}

export function request(architecture: string, set: readonly string[] = []): RunRequest {
  const folders = [`cache=${inRoot('cache')}`, `out=${inRoot('out')}`];
  const own = ['train.epochs=0', 'encode.shardPassages=44', 'search.depth=20', 'latency.queries=0'];
  const config = loadConfig({ cwd: root, flags: {}, set: [...folders, ...tinySettings, ...own, ...set] });
  return { architecture, dataset: 'squad', data: inRoot('squad'), seed: 1, offline: true, config };
}

const other = { dataset: 'beir', data: '' };
export const grown = (count: number, largest: number, own = false): DistractorsChoice => ({
  ...{ count, largest },
  ...(!own && { from: { ...other, data: inRoot('other') } }),
});
/** Runs it; training begins with `init` where it is given. */
export const ran = (
  architecture: string,
  {
    distractors,
    init,
    set,
  }: { distractors?: DistractorsChoice; init?: string; set?: readonly string[] } = {},
) =>
  run(
    { ...request(architecture, set), ...(init && { init }), ...(distractors && { distractors }) },
    silentProgress(),
  );
export const stageOf = ({ stages }: RunRecord, name: string) => stages.find((stage) => stage.name === name)!;

export const opened = (distractors: DistractorsChoice, data = inRoot('squad')) =>
  openDataset({ ...request('bm25'), data, distractors }, new Store(inRoot('cache')), silentProgress());

/** The dataset with the first of the distractors put into its files, behind all others. */
export async function byHand(count: number): Promise<string> {
  const folder = inRoot(`by-hand-${count}`);
  const dataset = await opened(grown(count, 44));
  const added: Passage[] = [];
  for await (const passage of dataset.passages()) added.push(passage);
  assert.equal(added.length, dataset.passageCount);
  await mkdir(folder, { recursive: true });
  const dev = await squadFile('dev');
  const articles = added
    .slice(44)
    .map(({ title, text }) => ({ title, paragraphs: [{ context: text, qas: [] }] }));
  await writeFile(
    path.join(folder, 'dev-v1.1.json'),
    JSON.stringify({ ...dev, data: [...dev.data, ...articles] }),
  );
  await writeFile(path.join(folder, 'train-v1.1.json'), JSON.stringify(await squadFile('train')));
  return folder;
}

/** Scores of every hit, and the ids of those that are no distractors. */
export async function hitsOf({ run: file }: RunRecord): Promise<unknown> {
  const { run: hits } = await readRun(inRoot('out', file!.name));
  return [...hits].map(([queryId, { passageIds, scores }]) => [
    queryId,
    passageIds.map((id) => (/^(birds|stones|rivers|towns):/.test(id) ? id : 'added')),
    Array.from(scores!),
  ]);
}
