/** Collections of a hub on this machine, in the forms in which mteb, NanoBEIR and BEIR publish theirs (test/fixtures/hub). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import { silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { passagesOf } from './datasets-folder.js';
import { loopbackHub, type MadeRepository } from './loopback-hub.js';
import { inFixtures } from './places.js';

const hub = loopbackHub();
const revision = 'c'.repeat(40);

function repository(name: string, folder: string): MadeRepository {
  const root = inFixtures(folder);
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(path.relative(root, file).split(path.sep).join('/'), readFileSync(file));
  }
  return { kind: 'datasets', name, revision, files };
}

let mteb: MadeRepository;

beforeEach(() => {
  process.env.HF_ENDPOINT = hub.url;
  mteb = repository('tests/mteb', 'datasets/hub');
  hub.repositories = [
    mteb,
    repository('tests/nano', 'hub/nano'),
    { ...repository('tests/beir', 'hub/beir'), revision: 'd'.repeat(40) },
    repository('tests/beir-qrels', 'hub/beir-qrels'),
  ];
});

const open = (name: string, offline = false) =>
  openDataset({ dataset: `hub:${name}`, offline }, new Store(path.dirname(hubHome())), silentProgress());
/** Where the store keeps what is fetched of the hub. */
const hubHome = () => path.join(hub.cacheFolder, 'hub');

test('as mteb publishes: configurations of the README, tables in several files, three splits', async () => {
  const dataset = await open('tests/mteb');
  assert.equal(dataset.name, 'hub:tests/mteb');
  assert.equal(dataset.version, `hub-1 ${revision}`);
  assert.equal(dataset.licence, 'cc-by-sa-4.0');
  const passages = await passagesOf(dataset);
  assert.equal(dataset.passageCount, 5);
  assert.deepEqual(
    passages.map(({ passageId }) => passageId),
    ['d1', 'd2', 'd3', 'd4', 'd5'],
  );
  assert.deepEqual(passages[3], { passageId: 'd4', title: 'Größe', text: '密集 🙂' });
  assert.deepEqual(await dataset.qrels('test'), [
    { queryId: 'q1', passageId: 'd1', relevance: 2 },
    { queryId: 'q1', passageId: 'd3', relevance: 1 },
    { queryId: 'q1', passageId: 'd2', relevance: 0 },
    { queryId: 'q2', passageId: 'd3', relevance: 1 },
  ]);
  assert.deepEqual(await dataset.queries('dev'), [{ queryId: 'q5', text: 'barley' }]);
  assert.equal((await dataset.queries('train')).length, 2);
  assert.deepEqual(
    dataset.files.map(({ name }) => name),
    [
      ...['corpus/corpus-00000-of-00002.parquet', 'corpus/corpus-00001-of-00002.parquet'],
      ...['queries/queries-00000-of-00001.parquet', 'data/train-00000-of-00001.parquet'],
      ...['data/validation-00000-of-00001.parquet', 'data/test-00000-of-00001.parquet'],
    ],
  );
  hub.requests = [];
  const again = await open('tests/mteb', true);
  assert.deepEqual(again.files, dataset.files);
  assert.deepEqual(await passagesOf(again), passages);
  assert.deepEqual(hub.requests, []);
});

test('as NanoBEIR publishes: one split, no titles, no scores', async () => {
  const dataset = await open('tests/nano');
  assert.equal(dataset.passageCount, 5);
  assert.deepEqual(
    (await dataset.qrels('test')).map(({ queryId, passageId, relevance }) => [queryId, passageId, relevance]),
    [
      ['q1', 'd1', 1],
      ['q1', 'd3', 1],
      ['q2', 'd3', 1],
    ],
  );
  assert.deepEqual(await dataset.queries('train'), []);
  assert.ok(dataset.remarks!.some((remark) => /'train', is taken for the test queries/.test(remark)));
});

test('as BEIR publishes: the qrels lie in a repository beside it, as tables of tabs', async () => {
  const dataset = await open('tests/beir');
  assert.equal(dataset.version, `hub-1 ${'d'.repeat(40)} ${revision}`);
  assert.deepEqual((await dataset.qrels('test'))[0], { queryId: '1', passageId: '101', relevance: 2 });
  assert.equal((await dataset.queries('train')).length, 2);
  assert.deepEqual(await dataset.queries('dev'), []);
  hub.requests = [];
  assert.deepEqual((await open('tests/beir', true)).files, dataset.files);
  assert.deepEqual(hub.requests, []);
});

test('MS MARCO is judged by its dev queries, as BEIR reports it, and other collections by their test queries', async () => {
  const { files } = hub.repositories[3]!;
  for (const [split, id] of [
    ['dev', '101'],
    ['test', '102'],
  ] as const)
    files.set(`${split}.tsv`, Buffer.from(`query-id\tcorpus-id\tscore\n1\t${id}\t1\n`));
  for (const [name, expected] of [
    ['tests/msmarco', '101'],
    ['tests/msmarco-v2', '102'],
    ['tests/not-msmarco', '102'],
  ] as const) {
    hub.repositories[2]!.name = name;
    hub.repositories[3]!.name = `${name}-qrels`;
    const [qrel] = await (await open(name)).qrels('test');
    assert.equal(qrel!.passageId, expected, name);
  }
});

test('as the hub converts tables itself: ids that are numbers keep all of their digits', async () => {
  const { files } = hub.repositories[3]!;
  files.clear();
  const name = 'test-00000-of-00001.parquet';
  files.set(name, readFileSync(inFixtures(`hub/numbers/${name}`)));
  const dataset = await open('tests/beir');
  assert.deepEqual(dataset.remarks, []);
  assert.deepEqual((await dataset.qrels('test'))[0], { queryId: '1', passageId: '101', relevance: 2 });
});

test('lines of JSON, as older repositories have them, in folders that no README explains', async () => {
  hub.repositories[0]!.files = new Map(
    Object.entries({
      'corpus.jsonl': '{"_id": "a", "title": "T", "text": "one"}\n{"_id": "b", "text": "two"}\n',
      'queries.jsonl': '{"_id": "1", "text": "one?"}\n',
      'qrels/test.jsonl': '{"query-id": "1", "corpus-id": "a", "score": 1}\n',
      'scifact.py': 'raise SystemExit\n',
    }).map(([name, text]) => [name, Buffer.from(text)]),
  );
  const dataset = await open('tests/mteb');
  assert.deepEqual(await passagesOf(dataset), [
    { passageId: 'a', title: 'T', text: 'one' },
    { passageId: 'b', title: '', text: 'two' },
  ]);
  assert.deepEqual(await dataset.qrels('test'), [{ queryId: '1', passageId: 'a', relevance: 1 }]);
});

test("what lies in the cache of Hugging Face's tools is read there; what is missing there is asked for", async () => {
  await hub.share(mteb);
  const dataset = await open('tests/mteb', true);
  assert.equal(dataset.version, `hub-1 ${revision}`);
  assert.equal((await passagesOf(dataset)).length, 5);
  assert.deepEqual((await open('tests/mteb')).files, dataset.files);
  assert.deepEqual(hub.requests, []);
  for (const gone of ['corpus/corpus-00001-of-00002.parquet', 'data/test-00000-of-00001.parquet']) {
    await rm(hub.sharedCache, { recursive: true });
    await rm(hub.cacheFolder, { recursive: true, force: true });
    const isQrels = gone.startsWith('data/');
    const left = [...mteb.files.keys()].filter((name) =>
      isQrels ? !name.startsWith('data/') : name !== gone,
    );
    await hub.share(mteb, left);
    await assert.rejects(open('tests/mteb', true), {
      code: 'DOWNLOAD_FAILED',
      message: /which lacks files/,
    });
    assert.deepEqual((await open('tests/mteb')).files, dataset.files, gone);
  }
});

test('a revision is pinned, and stands beside the newest', async () => {
  const files = new Map(mteb.files);
  files.delete('data/train-00000-of-00001.parquet');
  hub.repositories.push({ ...mteb, revision: 'e'.repeat(40), references: ['v2'], files });
  assert.equal((await (await open('tests/mteb')).queries('train')).length, 2);
  const pinned = await open('tests/mteb@v2');
  assert.deepEqual([pinned.name, pinned.version], ['hub:tests/mteb@v2', `hub-1 ${'e'.repeat(40)}`]);
  assert.deepEqual(await pinned.queries('train'), []);
  assert.equal((await open('tests/mteb@v2', true)).version, pinned.version);
  await assert.rejects(open('tests/mteb@v3'), { code: 'UNKNOWN_NAME', message: /no such revision/ });
});

test('a hub that is busy, cut, lies, or refuses', async () => {
  hub.refusals = [
    { path: /^\/api\/datasets/, status: 429, headers: { 'retry-after': '1' } },
    { path: /corpus-00000/, status: 429, headers: { 'retry-after': '1' } },
    { path: /README/, status: 500 },
  ];
  hub.cutAfter = 700;
  const dataset = await open('tests/mteb');
  assert.equal(dataset.passageCount, 5);
  assert.deepEqual(hub.refusals, []);
  assert.ok(hub.requests.some((request) => /parquet bytes=[1-9]/.test(request)));
  hub.cutAfter = Number.POSITIVE_INFINITY;

  const refused = (name: string, code: string, message: RegExp) =>
    assert.rejects(open(name), { code, message });
  hub.forged.set('corpus/train-00000-of-00001.parquet', Buffer.from('<html>Please log in</html>'));
  await refused('tests/nano', 'DOWNLOAD_FAILED', /offers 26 bytes and 908 were expected/);
  hub.forged.set('corpus/train-00000-of-00001.parquet', Buffer.alloc(908));
  await refused('tests/nano', 'DOWNLOAD_FAILED', /sha256 is .* was expected; it has been removed/);
  hub.forged.clear();
  hub.refusals = [{ path: /corpus\/train/, status: 401 }];
  await refused('tests/nano', 'DOWNLOAD_FAILED', /answered 401/);
  await refused('tests/nothing', 'UNKNOWN_NAME', /There is no public dataset 'tests\/nothing'/);
  hub.refusals = [{ path: /^\/api/, status: 403 }];
  await refused('tests/nano', 'DOWNLOAD_FAILED', /refuses access to the dataset tests\/nano \(status 403\)/);
  assert.equal((await open('tests/nano')).passageCount, 5);
});

test('what was fetched and is damaged is refused, and what is not here cannot be read without a network', async () => {
  await assert.rejects(open('tests/nano', true), {
    code: 'DOWNLOAD_FAILED',
    message: /nor in that of Hugging/,
  });
  const dataset = await open('tests/nano');
  const file = path.join(hubHome(), 'datasets--tests--nano', revision, dataset.files[0]!.name);
  await writeFile(file, 'PAR1');
  await assert.rejects(open('tests/nano', true), { code: 'CACHE_INVALID' });
  await rm(file);
  await assert.rejects(open('tests/nano', true), { code: 'DOWNLOAD_FAILED', message: /corpus\/train/ });
  assert.equal((await open('tests/nano')).passageCount, 5);
});

test('a repository that is no collection is refused with what it has', async () => {
  const refused = (message: RegExp) => assert.rejects(open('tests/mteb'), { code: 'DATA_INVALID', message });
  const without = (wanted: (name: string) => boolean) => {
    const all = repository('tests/mteb', 'datasets/hub').files;
    mteb.files = new Map([...all].filter(([name]) => wanted(name)));
  };
  without((name) => !name.startsWith('corpus/'));
  await refused(
    /no files of a configuration 'corpus'; its README has corpus, default, queries\. Its files: README\.md/,
  );
  without((name) => !name.includes('00001-of-00002'));
  await refused(/1 of the 2 files corpus\/corpus-\*-of-00002/);
  without((name) => !name.startsWith('data/'));
  await assert.rejects(open('tests/mteb'), { code: 'UNKNOWN_NAME', message: /'tests\/mteb-qrels'/ });
  mteb.files = new Map([['data/train-00000-of-00001.parquet', Buffer.from('x')]]);
  await refused(/no files of a configuration 'corpus'; and it has no files of a configuration 'queries'/);
  mteb.files.set('README.md', Buffer.from('---\nconfigs: [\n---\n'));
  await refused(/The head of README\.md is no YAML/);
});
