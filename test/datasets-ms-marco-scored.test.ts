/** MS MARCO's hard negatives by system with the scores of a cross-encoder, and what is broken or of another form. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import msMarco from '../datasets/ms-marco.js';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import { silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { fixtures, inFolder, openFolder, refuses } from './datasets-folder.js';

const names = [
  ...['collection.tsv', 'queries.train.tsv', 'qrels.train.tsv'],
  ...['queries.dev.tsv', 'qrels.dev.tsv', 'queries.dev.small.tsv', 'qrels.dev.small.tsv'],
];
const dl19 = path.join(fixtures, 'ms-marco/dl19');
const base = Object.fromEntries(names.map((name) => [name, readFileSync(path.join(dl19, name))]));

const scored = (pid: number | string, score: number) => ({ pid, 'ce-score': score });
const line = (qid: number | string, pos: unknown, neg: unknown) => `${JSON.stringify({ qid, pos, neg })}\n`;
const file = (text: string) => ({ ...base, 'msmarco-hard-negatives.jsonl': text });

/**
 * The lowest positive scores 6, so a negative scores 3 at most. Of bm25 that leaves 1, 2, 3, 4, 5 and 6, of which five
 * are taken; tas-b brings 8 and 6 besides 1 and 2, which are there already; ance nothing.
 */
const worked = line(11, [scored(0, 9), scored(90, 6)], {
  bm25: [
    ...[scored(1, 3), scored(7, 3.01), scored(2, -2), scored(3, 1), scored(3, 1)],
    ...[scored(4, 0), scored(5, 2.9), scored(6, -9)],
  ],
  ance: [scored(1, 3), scored(2, -2), scored(7, 8)],
  'tas-b': [scored(2, -2), scored(8, -1), scored(1, 3), scored(6, -9)],
});

test('five of each system, 3 below the lowest positive, none twice, the best of each system first', async () => {
  const others = line('12', [scored('2', 1)], { bm25: [scored('4', -2), scored('3', -1.9)] });
  // Nobody judged it: it is read, and left out.
  const unjudged = line(77, [scored(1, 1)], {});
  for (const files of [
    file(worked + others + unjudged),
    { ...base, 'msmarco-hard-negatives.jsonl.gz': gzipSync(`\n${unjudged}${others}${worked}`) },
  ]) {
    await inFolder(files, async (folder) => {
      const dataset = await openFolder(msMarco, folder, 'sbert');
      assert.equal(dataset.name, 'ms-marco/sbert');
      assert.ok(dataset.files.some(({ name }) => name.startsWith('msmarco-hard-negatives.jsonl')));
      const negatives = await dataset.negatives!('train');
      assert.deepEqual(negatives.get('11'), ['1', '8', '2', '6', '3', '4', '5']);
      assert.deepEqual(negatives.get('12'), ['4']);
      assert.equal(negatives.size, 2);
    });
  }
});

/** What the public code makes of a line: a set of passages. */
function reference(
  pos: readonly { 'ce-score': number }[],
  neg: Readonly<Record<string, readonly { pid: number | string; 'ce-score': number }[]>>,
): Set<string> {
  const threshold = Math.min(...pos.map((each) => each['ce-score'])) - 3;
  const kept = new Set<string>();
  for (const found of Object.values(neg)) {
    let added = 0;
    for (const { pid, 'ce-score': score } of found) {
      if (score > threshold || kept.has(String(pid))) continue;
      kept.add(String(pid));
      if (++added >= 5) break;
    }
  }
  return kept;
}

test('the same passages as by the description, over made lines of thirteen systems', async () => {
  let state = 1;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const lists = () =>
    Object.fromEntries(
      Array.from({ length: 13 }, (_, system) => [
        `system-${system}`,
        Array.from({ length: random(30) }, () => scored(random(60), random(120) / 10 - 6)),
      ]),
    );
  for (let i = 0; i < 20; i++) {
    const pos = [scored(100, 3 + random(5)), scored(101, 2)];
    const neg = lists();
    await inFolder(file(line(11, pos, neg)), async (folder) => {
      const negatives = await (await openFolder(msMarco, folder, 'sbert')).negatives!('train');
      const found = negatives.get('11')!;
      assert.deepEqual(new Set(found), reference(pos, neg));
      assert.equal(new Set(found).size, found.length);
    });
  }
});

test('the file is named by the variant alone: triples beside it, or it beside them, play no part', async () => {
  const triples = { 'qidpidtriples.train.full.2.tsv': '11\t0\t4\n' };
  await inFolder({ ...file(worked), ...triples }, async (folder) => {
    const of = async (variant?: string) =>
      (await (await openFolder(msMarco, folder, variant)).negatives!('train')).get('11');
    assert.deepEqual(await of(), ['4']);
    assert.equal((await of('sbert'))!.length, 7);
  });
});

test('what was made of the file is kept', async () => {
  const cache = await mkdtemp(path.join(tmpdir(), 'strata-scored-'));
  try {
    await inFolder(file(worked), async (data) => {
      const request = { dataset: 'ms-marco/sbert', data, offline: true };
      const read = async () => [
        ...(await (await openDataset(request, new Store(cache), silentProgress())).negatives!('train')),
      ];
      assert.deepEqual(await read(), await read());
    });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});

const good = [scored(0, 9)];
for (const [name, text, ...patterns] of [
  [
    'the later form, without scores',
    line(11, [0], { bm25: [3] }),
    /line 1: pos\[0\] is 0 alone, without ce-score/,
  ],
  ['negatives without scores', worked + line(12, good, { bm25: [3] }), /line 2: neg\.bm25\[0\] is 3 alone/],
  ['a line that is no JSON', `${worked}{"qid": 12`, /line 2: not JSON/],
  ['a query twice', worked + worked, /line 2: the query 11 stands in line 1 already/],
  ['no query', line('', good, {}), /line 1: qid is "", and a whole number/],
  ['a passage that is none', line(11, good, { bm25: [scored(1.5, 0)] }), /neg\.bm25\[0\]\.pid is 1\.5/],
  [
    'a passage beyond 32 bits',
    line(11, good, { bm25: [scored(2 ** 32, 0)] }),
    /neg\.bm25\[0\]\.pid is 4294967296, and a whole number/,
  ],
  [
    'a score that is a text',
    line(11, [{ pid: 0, 'ce-score': '9' }], {}),
    /pos\[0\]\.ce-score is "9", and a number/,
  ],
  ['a score that is missing', line(11, good, { bm25: [{ pid: 3 }] }), /neg\.bm25\[0\]\.ce-score is missing/],
  ['no positives', line(11, [], {}), /pos is empty, so nothing says/],
  ['positives that are no list', line(11, 7, {}), /pos is 7, and a list is needed/],
  ['negatives that are no systems', line(11, good, [3]), /neg is \[3\], and lists of passages by system/],
  ['a system that is no list', line(11, good, { bm25: null }), /neg\.bm25 is null, and a list/],
  ['queries of another collection', line(9999, good, {}), /negatives for none of the training queries/],
] as const) {
  test(`refuses ${name}`, () => refuses(msMarco, file(text), 'sbert', 'DATA_INVALID', ...patterns));
}

test('without the file there is no training on its negatives; a pickle in its place is refused by name', async () => {
  await refuses(msMarco, base, 'sbert', 'PATH_INVALID', /no msmarco-hard-negatives\.jsonl/);
  const pickle = 'cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz';
  await inFolder({ ...base, [pickle]: 'x' }, (folder) =>
    assert.rejects(openFolder(msMarco, folder, 'sbert'), {
      code: 'PATH_INVALID',
      hint: /^cross-encoder-.*\.pkl\.gz cannot stand in for it: pickles are not read\./,
    }),
  );
  // For searching alone it is not needed.
  const { 'queries.train.tsv': _, 'qrels.train.tsv': __, ...search } = base;
  await inFolder(search, async (folder) => {
    assert.equal((await openFolder(msMarco, folder, 'sbert')).negatives, undefined);
  });
});
