/** What the squad dataset makes of SQuAD's two files. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import squad from '../datasets/squad.js';
import type { Dataset, Download, Passage } from '../harness/contracts.js';
import { root } from './places.js';
import { squadFolder } from './squad-folder.js';

const real = path.join(process.env.STRATA_TEST_DATA ?? path.join(root, '../shared/data'), 'squad');

const folder = squadFolder();

async function passagesOf(dataset: Dataset): Promise<Passage[]> {
  const all: Passage[] = [];
  for await (const passage of dataset.passages()) all.push(passage);
  return all;
}

/** What a table shows of a list. */
const first = (items: readonly unknown[]) => [items[0], items[9], items.at(-1)];

test('a small collection, in full', async () => {
  const dataset = await folder.open();
  const passages = await passagesOf(dataset);
  assert.deepEqual(
    passages.map(({ passageId, title }) => [passageId, title]),
    [
      ['Tessel_lighthouse:0', 'Tessel lighthouse'],
      ['Tessel_lighthouse:1', 'Tessel lighthouse'],
      ['Heron:0', 'Heron'],
      ['Heron:1', 'Heron'],
      ['Aarvik:0', 'Aarvik'],
    ],
  );
  assert.equal(passages[3]?.text, '', 'an empty paragraph is kept');
  assert.deepEqual(await dataset.queries('test'), [
    { queryId: 'd01', text: 'In which year did the diary come out?', answers: ['1902'] },
    { queryId: 'd02', text: 'How many live in Aarvik?', answers: ['4,312', '4,312 people'] },
    { queryId: 'd03', text: 'Where does Aarvik lie?', answers: ['on the coast'] },
  ]);
  assert.deepEqual(await dataset.qrels('test'), [
    { queryId: 'd01', passageId: 'Tessel_lighthouse:1', relevance: 1 },
    { queryId: 'd02', passageId: 'Aarvik:0', relevance: 1 },
    { queryId: 'd03', passageId: 'Aarvik:0', relevance: 1 },
  ]);
  const train = [...(await dataset.queries('train')), ...(await dataset.queries('dev'))];
  assert.deepEqual(
    train.map(({ queryId }) => queryId).sort(),
    Array.from({ length: 12 }, (_, i) => `t${String(i + 1).padStart(2, '0')}`),
  );
  assert.equal((await dataset.queries('dev')).length, 1, 'a tenth, rounded');
  assert.deepEqual(train.find(({ queryId }) => queryId === 't01')?.answers, ['1871', 'in 1871']);
  assert.equal(train.find(({ queryId }) => queryId === 't08')?.text, '', 'an empty question is kept');
  assert.equal(dataset.answerMatching, 'string');
  assert.equal(dataset.negatives, undefined);
});

test('the dev queries do not depend on the order of the questions', async () => {
  const before = (await (await folder.open()).queries('dev')).map(({ queryId }) => queryId);
  await folder.edit('train-v1.1.json', (data) => data.reverse());
  assert.deepEqual(
    (await (await folder.open()).queries('dev')).map(({ queryId }) => queryId),
    before,
  );
});

test("the files' own hashes are recorded", async () => {
  const { files } = await folder.open();
  const bytes = await readFile(folder.file('train-v1.1.json'));
  assert.deepEqual(files[0], {
    name: 'train-v1.1.json',
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  assert.equal(files[1]?.name, 'dev-v1.1.json');
});

test('without a folder both files are fetched, as their publisher describes them', async () => {
  const asked: Download[] = [];
  const dataset = await squad.open({
    fetch: async (download) => {
      asked.push(download);
      return folder.file(download.name);
    },
  });
  assert.equal(dataset.passageCount, 5);
  assert.deepEqual(asked, squad.downloads());
  assert.deepEqual(
    asked.map(({ url, sizeBytes, sha256 }) => [url, sizeBytes, sha256]),
    [
      [
        'https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json',
        30_288_272,
        '3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955',
      ],
      [
        'https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v1.1.json',
        4_854_279,
        '95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9',
      ],
    ],
  );
});

test('the collection at hand, as a table', { skip: existsSync(real) ? false : `no ${real}` }, async () => {
  const dataset = await folder.open(real);
  const passages = await passagesOf(dataset);
  const [train, dev, tested] = await Promise.all(
    (['train', 'dev', 'test'] as const).map((split) => dataset.queries(split)),
  );
  assert.deepEqual([passages.length, train!.length, dev!.length, tested!.length], [2067, 7713, 857, 2000]);
  assert.deepEqual(
    (first(passages) as Passage[]).map(({ passageId, title, text }) => [
      passageId,
      title,
      text.slice(0, 40),
      text.length,
    ]),
    [
      ['Super_Bowl_50:0', 'Super Bowl 50', 'Super Bowl 50 was an American football g', 775],
      ['Super_Bowl_50:9', 'Super Bowl 50', 'Despite waiving longtime running back De', 917],
      ['Force:43', 'Force', 'The pound-force has a metric counterpart', 749],
    ],
  );
  assert.deepEqual(first(tested!), [
    {
      queryId: '56d20362e7d4791d009025e9',
      text: 'What team was the AFC champion?',
      answers: ['Denver Broncos'],
    },
    {
      queryId: '56d204ade7d4791d00902603',
      text: 'Who won the MVP for the Super Bowl?',
      answers: ['Von Miller'],
    },
    {
      queryId: '5737a9afc3c5551400e51f65',
      text: 'What makes energy changes in a closed system?',
      answers: ['nonconservative forces'],
    },
  ]);
});

test('ids hold no blanks, whatever the titles hold', async () => {
  await folder.edit('dev-v1.1.json', (data) => (data[1]!.title = 'Heron\tof the North'));
  const passages = await passagesOf(await folder.open());
  assert.equal(passages.at(-1)?.passageId, 'Heron_of_the_North:0');
  assert.equal(passages.at(-1)?.title, 'Heron\tof the North');
});
